import { describe, expect, test } from "vitest";
import type { Event } from "../../../host/event/event.ts";
import { userId } from "../../../host/run/match.ts";
import { runId } from "../../../host/run/run-id.ts";

describe("the id of a run", () => {
  const event = "0190b6a5-1c2d-7abc-8def-0123456789ab";

  test("is the same for the same function and event, and for no other", () => {
    const ids = [runId("f", event), runId("g", event), runId("f", "other"), runId("fo", "ther")];
    expect(runId("f", event)).toBe(ids[0]);
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });

  test("begins with the event's time where its id is a UUIDv7, so that runs stay in order", () => {
    expect(runId("f", event).slice(0, 12)).toBe("0190b6a51c2d");
    expect(runId("f", "0190b6a5-1c2d-4abc-8def-0123456789ab").slice(0, 12)).not.toBe("0190b6a51c2d");
  });
});

describe("the user of an event", () => {
  const of = (user: Event["user"]) =>
    userId({ id: "e", name: "n", data: {}, ts: 0, ...(user === undefined ? {} : { user }) });

  test.each([
    [{ id: "u1" }, "u1"],
    [{ id: 7 }, "7"],
    ["u2", "u2"],
    [{ name: "x" }, undefined],
    [{ id: { deep: 1 } }, undefined],
    [["u"], undefined],
    [null, undefined],
    [undefined, undefined],
  ])("%j is %j", (user, id) => {
    expect(of(user as Event["user"])).toBe(id);
  });
});
