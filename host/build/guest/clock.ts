import monotonic from "wasi:clocks/monotonic-clock@0.2.12";
import { touchOutside } from "./phase.ts";

/** Makes reading the clock known, so that no step freezes the time of its build. */
export function installClock(): void {
  const NativeDate = globalThis.Date;
  const nativeNow = NativeDate.now;
  const now = (): number => {
    touchOutside("the clock");
    return nativeNow();
  };
  Object.defineProperty(NativeDate, "now", { value: now, writable: true, configurable: true });
  const date = new Proxy(NativeDate, {
    construct(target, args, newTarget) {
      if (args.length === 0) touchOutside("the clock");
      return Reflect.construct(target, args, newTarget);
    },
    apply(target) {
      touchOutside("the clock");
      return new target().toString();
    },
  });
  Object.defineProperty(NativeDate.prototype, "constructor", {
    value: date,
    writable: true,
    configurable: true,
  });
  let origin: number | undefined;
  const elapsed = (): number => {
    touchOutside("the clock");
    const at = monotonic.now() / 1e6;
    origin ??= at;
    return at - origin;
  };
  const performance = {
    now: elapsed,
    get timeOrigin(): number {
      const since = elapsed();
      return nativeNow() - since;
    },
  };
  Object.assign(globalThis, { Date: date, performance });
}
