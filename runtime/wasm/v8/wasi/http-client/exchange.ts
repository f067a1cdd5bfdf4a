import type { HostCall } from "../../../calls.ts";
import type { Awaiting } from "../io.ts";
import type { Outside } from "../world.ts";
import type { ErrorCode } from "./error-code.ts";

type HttpCall = HostCall & { readonly op: "http" };

/** How far a request on its way has come. */
type State =
  /** Its body is not finished; the call, once it was handed over. */
  | { readonly is: "writing"; readonly call?: HttpCall }
  /** Its body, finished before the request was handed over. */
  | { readonly is: "written"; readonly body: Uint8Array }
  | { readonly is: "asked"; readonly number: number }
  | { readonly is: "failed"; readonly error: ErrorCode }
  /** The guest has what came back, or wants nothing. */
  | { readonly is: "over" };

/** A request on its way, and what comes back: what an outgoing body, a future response and its pollables have in common. */
export interface Exchange {
  readonly state: State;
  awaits(): Awaiting;
  /** Its body will never be whole. */
  fail(error: ErrorCode): void;
  /** Its body is finished: it is sent where the request was handed over. */
  finish(body: Uint8Array): void;
  /** The request is handed over: it is sent where its body is finished. */
  handOver(call: HttpCall): void;
  /** The guest has what came back. */
  end(): void;
  /** Nobody wants what comes back. */
  giveUp(): void;
}

/** One whose body is to follow, or is there; a body is held by whoever made it until it is sent. */
export function createExchange({ calls, release }: Outside, body?: Uint8Array): Exchange {
  let state: State = body === undefined ? { is: "writing" } : { is: "written", body };
  const send = (call: HttpCall, whole: Uint8Array): void => {
    release(whole.length);
    state = { is: "asked", number: calls.ask(call, whole) };
  };
  return {
    get state() {
      return state;
    },
    awaits() {
      if (state.is === "asked" && !calls.isAnswered(state.number)) return state.number;
      return state.is === "writing" ? "guest" : "nothing";
    },
    fail(error) {
      if (state.is === "writing") state = { is: "failed", error };
    },
    finish(whole) {
      if (state.is !== "writing") release(whole.length);
      else if (state.call === undefined) state = { is: "written", body: whole };
      else send(state.call, whole);
    },
    handOver(call) {
      if (state.is === "writing") state = { is: "writing", call };
      else if (state.is === "written") send(call, state.body);
    },
    end() {
      state = { is: "over" };
    },
    giveUp() {
      if (state.is === "asked") calls.forget(state.number);
      if (state.is === "written") release(state.body.length);
      state = { is: "over" };
    },
  };
}
