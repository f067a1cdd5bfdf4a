import { expect, test, vi } from "vitest";
import { watchProject } from "../../../host/cli/dev/watch.ts";
import { projectFolder } from "../build/project-fixture.ts";

test("a project's files are watched, and no log that its host may write into the folder", async () => {
  const fixture = await projectFolder({ "dev.log": "", "steps/s.ts": "" });
  const changes: string[] = [];
  const watch = await watchProject({
    root: fixture.folder,
    since: Date.now(),
    onChange: async (paths) => void changes.push(...paths),
    onError: (error) => {
      throw error;
    },
  });
  try {
    await fixture.write({ "dev.log": "a line", "nohup.out": "another" });
    await fixture.write({ "steps/s.ts": "changed" });
    await vi.waitFor(() => expect(changes).toContain("steps/s.ts"), { timeout: 20_000 });
    expect(changes).toEqual(["steps/s.ts"]);
  } finally {
    await watch[Symbol.asyncDispose]();
    await fixture.dispose();
  }
});
