/** The guest did what the Component Model forbids: its instance is done. */
export class Trap extends Error {
  constructor(message: string) {
    super(message);
    // As the engine's own traps are called.
    this.name = "RuntimeError";
  }
}
