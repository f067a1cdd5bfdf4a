type Listener = ((event: Event) => void) | { handleEvent(event: Event): void };

interface Registration {
  readonly type: string;
  readonly listener: Listener;
  readonly once: boolean;
}

class Event {
  readonly type: string;
  readonly cancelable: boolean;
  target: EventTarget | null = null;
  defaultPrevented = false;
  stopped = false;

  constructor(type: string, options: { cancelable?: boolean } = {}) {
    this.type = String(type);
    this.cancelable = Boolean(options.cancelable);
  }

  get currentTarget(): EventTarget | null {
    return this.target;
  }

  preventDefault(): void {
    if (this.cancelable) this.defaultPrevented = true;
  }

  stopImmediatePropagation(): void {
    this.stopped = true;
  }

  stopPropagation(): void {}
}

class CustomEvent extends Event {
  readonly detail: unknown;

  constructor(type: string, options: { cancelable?: boolean; detail?: unknown } = {}) {
    super(type, options);
    this.detail = options.detail ?? null;
  }
}

class EventTarget {
  #registrations: Registration[] = [];

  addEventListener(
    type: string,
    listener: Listener | null,
    options: boolean | { once?: boolean; signal?: AbortSignal } = {},
  ): void {
    const { once = false, signal } = typeof options === "object" ? options : {};
    if (listener === null || signal?.aborted === true) return;
    if (this.#registrations.some((known) => known.type === type && known.listener === listener)) return;
    this.#registrations.push({ type, listener, once });
    signal?.addEventListener("abort", () => this.removeEventListener(type, listener));
  }

  removeEventListener(type: string, listener: Listener | null): void {
    this.#registrations = this.#registrations.filter(
      (known) => known.type !== type || known.listener !== listener,
    );
  }

  dispatchEvent(event: Event): boolean {
    event.target = this;
    for (const { type, listener, once } of this.#registrations.slice()) {
      if (type !== event.type || event.stopped) continue;
      if (once) this.removeEventListener(type, listener);
      if (typeof listener === "function") listener.call(this, event);
      else listener.handleEvent(event);
    }
    return !event.defaultPrevented;
  }
}

export class AbortSignal extends EventTarget {
  aborted = false;
  reason: unknown = undefined;
  onabort: ((event: Event) => void) | null = null;

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal();
    signal.fire(reason);
    return signal;
  }

  static timeout(milliseconds: number): AbortSignal {
    const signal = new AbortSignal();
    const late = () => signal.fire(new DOMException("The operation timed out", "TimeoutError"));
    setTimeout(late, milliseconds);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const result = new AbortSignal();
    for (const signal of signals) {
      if (signal.aborted) result.fire(signal.reason);
      else signal.addEventListener("abort", () => result.fire(signal.reason));
    }
    return result;
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  fire(reason: unknown = new DOMException("The operation was aborted", "AbortError")): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const event = new Event("abort");
    this.onabort?.(event);
    this.dispatchEvent(event);
  }
}

class AbortController {
  readonly signal = new AbortSignal();

  abort(reason?: unknown): void {
    this.signal.fire(reason);
  }
}

/** Event, CustomEvent, EventTarget, AbortSignal and AbortController (DOM), without a tree to bubble in. */
export function installAbort(): void {
  Object.assign(globalThis, { Event, CustomEvent, EventTarget, AbortSignal, AbortController });
}
