/** Where a step of the typed world does what it should not. */
interface TypedParts {
  readonly imports?: string;
  readonly declarations?: string;
  /** What realloc does before it returns; `$at` is what it will return, and can be set. */
  readonly realloc?: string;
  readonly postReturn?: string;
  /** What run does; it leaves the address of its result on the stack. */
  readonly run?: string;
}

/** The core module of a typed step that returns `1`, written out so that each of its functions can be another. */
export function typedModule({
  imports = "",
  declarations = "",
  realloc = "",
  postReturn = "",
  run = "(i32.const 1024)",
}: TypedParts): string {
  return `(module
    ${imports}
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 16384))
    ;; ok, and its text at 2048
    (data (i32.const 1032) "\\00\\08\\00\\00\\01\\00\\00\\00")
    (data (i32.const 2048) "1")
    ${declarations}
    (func (export "cabi_realloc")
      (param $old i32) (param $old-length i32) (param $align i32) (param $length i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
      (global.set $top (i32.add (local.get $at) (local.get $length)))
      ${realloc}
      (local.get $at))
    (func (export "cabi_post_millrace:step/handler@0.1.0#run") (param i32) ${postReturn})
    (func (export "millrace:step/handler@0.1.0#run") (param $input i32) (result i32) ${run}))`;
}

/** The core module of a program that ends well, written out for the same reason. */
export function programModule({
  declarations = "",
  realloc = "",
  run = "(i32.const 0)",
}: Pick<TypedParts, "declarations" | "realloc" | "run">): string {
  return `(module
    (import "wasi:cli/environment@0.2.9" "get-arguments" (func $get-arguments (param i32)))
    (import "wasi:cli/exit@0.2.9" "exit-with-code" (func $exit-with-code (param i32)))
    (import "wasi:cli/stdout@0.2.9" "get-stdout" (func $get-stdout (result i32)))
    (import "wasi:io/streams@0.2.9" "[method]output-stream.blocking-write-and-flush"
      (func $write (param i32 i32 i32 i32)))
    (import "wasi:io/poll@0.2.9" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:clocks/monotonic-clock@0.2.9" "subscribe-duration"
      (func $subscribe-duration (param i64) (result i32)))
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 16384))
    ${declarations}
    (func (export "cabi_realloc")
      (param $old i32) (param $old-length i32) (param $align i32) (param $length i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
      (global.set $top (i32.add (local.get $at) (local.get $length)))
      ${realloc}
      (local.get $at))
    (func (export "wasi:cli/run@0.2.9#run") (result i32) ${run}))`;
}
