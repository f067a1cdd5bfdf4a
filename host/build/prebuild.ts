// Makes the templates of the published package: `npm run build` runs it on what the compiler put out.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleGuest } from "./bundle.ts";
import { writePrebuilt } from "./prebuilt.ts";
import { allGuests, guestText } from "./guest-name.ts";
import { makeTemplate } from "./template.ts";

// Beside the sources they would outlive a change of the guest.
if (import.meta.url.endsWith(".ts")) throw new Error("run it on the built package: npm run build");

const folder = await mkdtemp(join(tmpdir(), "millrace-prebuild-"));
try {
  const guests = new Map<string, Uint8Array>();
  for (const guest of allGuests())
    guests.set(guestText(guest), await makeTemplate(guest, await bundleGuest(guest), folder));
  await writePrebuilt(guests);
} finally {
  await rm(folder, { recursive: true });
}
