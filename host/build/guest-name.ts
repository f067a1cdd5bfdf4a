import { type GuestCapability, guestCapabilities, type WorldName } from "./world.ts";

/** A guest: its world, and what it may ask the host for besides. */
export interface GuestName {
  readonly world: WorldName;
  readonly capabilities: readonly GuestCapability[];
}

/**
 * The guest for a step that uses these capabilities. One that uses any can use files too: that takes no import that the
 * others have not, and half as many guests.
 */
export function guestFor(world: WorldName, used: readonly GuestCapability[]): GuestName {
  return { world, capabilities: used.length === 0 ? [] : [...new Set<GuestCapability>([...used, "tmp"])] };
}

/** A guest's name as text. */
export function guestText({ world, capabilities }: GuestName): string {
  return [world, ...guestCapabilities.filter((name) => capabilities.includes(name))].join("+");
}

/** All of them. */
export function allGuests(): readonly GuestName[] {
  const sets = guestCapabilities.reduce<GuestCapability[][]>(
    (sets, name) => [...sets, ...sets.map((set) => [...set, name])],
    [[]],
  );
  const guests = sets.flatMap((used) => [guestFor("typed", used), guestFor("program", used)]);
  return [...new Map(guests.map((guest) => [guestText(guest), guest])).values()];
}
