/** What tells an attempt that is under way from the others of its run: its step, and its item where there are several. */
export function placeOf(step: string, item: number | undefined): string {
  return item === undefined ? step : `${step}${divider}${item}`;
}

/** The step of a place. */
export function stepOfPlace(place: string): string {
  const at = place.indexOf(divider);
  return at < 0 ? place : place.slice(0, at);
}

/** How many items of a step are under way. */
export function itemsUnderWay(step: string, underWay: ReadonlySet<string>): number {
  const front = `${step}${divider}`;
  let count = 0;
  for (const place of underWay) if (place.startsWith(front)) count += 1;
  return count;
}

/** No step's id has it. */
const divider = "#";
