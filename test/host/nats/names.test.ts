import { describe, expect, test } from "vitest";
import { createNames } from "../../../host/nats/names.ts";
import { seeded } from "../../random.ts";

const names = createNames("acme");

describe("the subject of an event", () => {
  test.each([
    ["user.signed_up", "acme.events.user.signed_up"],
    ["user/signed.up", "acme.events.user/signed.up"],
    ["ü", "acme.events.ü"],
    ["100%", "acme.events.100%25"],
    ["%2E", "acme.events.%252E"],
    [".", "acme.events.%2E"],
    ["..", "acme.events.%2E%2E"],
    ["a..b", "acme.events.a.%2Eb"],
    [".a.", "acme.events.%2Ea%2E"],
  ])("%s ↔ %s", (name, subject) => {
    expect(names.event(name)).toBe(subject);
    expect(names.eventName(subject)).toBe(name);
  });

  test("is one that NATS takes, and of one name only, whatever the name", () => {
    const random = seeded(7);
    const signs = [".", ".", "%", "2", "E", "5", "a", "/", "ü"];
    const subjects = new Map<string, string>();
    for (let i = 0; i < 5_000; i += 1) {
      const length = 1 + random(6);
      const name = Array.from({ length }, () => signs[random(signs.length)]).join("");
      const subject = names.event(name);
      expect(subject.split(".")).not.toContain("");
      expect(names.eventName(subject)).toBe(name);
      expect(subjects.get(subject) ?? name).toBe(name);
      subjects.set(subject, name);
    }
  });

  test.each(["acme.events.a%2Eb", "acme.events.%41", "acme.events.50%", `acme.events.${"x".repeat(300)}`])(
    "%s names no event",
    (subject) => {
      expect(names.eventName(subject)).toBeUndefined();
    },
  );
});
