//! The world millrace:step (wit/step.wit in the package millrace) as a module has it.
const std = @import("std");

pub const Text = extern struct {
    at: [*]const u8,
    length: usize,

    pub fn slice(text: Text) []const u8 {
        return text.at[0..text.length];
    }

    pub fn of(text: []const u8) Text {
        return .{ .at = text.ptr, .length = text.len };
    }
};

pub const Option = extern struct {
    some: bool,
    value: Text,

    pub fn slice(option: Option) ?[]const u8 {
        return if (option.some) option.value.slice() else null;
    }
};

/// `data`, `user` and `attributes` are JSON; `ts` is in milliseconds since 1970.
pub const Event = extern struct {
    id: Text,
    name: Text,
    data: Text,
    user: Option,
    ts: u64,
    v: Option,
    attributes: Option,
};

pub const Output = extern struct { step: Text, output: Text };

pub const Context = extern struct {
    run_id: Text,
    function_id: Text,
    function_version: Text,
    step_id: Text,
    attempt: u32,
    deadline: u64,
    idempotency_key: Text,
    user: Option,
    traceparent: Option,
    failure: Option,
};

pub const Input = extern struct {
    event: Event,
    steps: [*]const Output,
    step_count: usize,
    ctx: Context,
};

const After = extern struct { some: bool, ms: u64 };
const Failure = extern struct { is_fatal: bool, message: Text align(8), after: After };
pub const Result = extern struct { failed: bool, is: extern union { output: Text, failure: Failure } };

/// An instance serves one attempt: what is returned is kept as long as it lives.
var kept: Result = undefined;

/// JSON text, the step's output.
pub fn output(text: []const u8) *const Result {
    kept = .{ .failed = false, .is = .{ .output = .of(text) } };
    return &kept;
}

/// Failed for good.
pub fn fatal(message: []const u8) *const Result {
    return failed(true, message, null);
}

/// Tried again, after so many milliseconds if there are some.
pub fn retry(message: []const u8, after: ?u64) *const Result {
    return failed(false, message, after);
}

fn failed(is_fatal: bool, message: []const u8, after: ?u64) *const Result {
    const wait: After = .{ .some = after != null, .ms = after orelse 0 };
    kept = .{
        .failed = true,
        .is = .{ .failure = .{ .is_fatal = is_fatal, .message = .of(message), .after = wait } },
    };
    return &kept;
}

pub const Level = enum(u32) { trace, debug, info, warn, err };

extern "millrace:step/log@0.1.0" fn log(level: u32, message: [*]const u8, length: usize) void;

/// A line in the attempt's log.
pub fn say(level: Level, message: []const u8) void {
    log(@intFromEnum(level), message.ptr, message.len);
}

export fn cabi_realloc(old: ?[*]u8, old_size: usize, alignment: usize, size: usize) ?[*]u8 {
    if (size == 0) return @ptrFromInt(alignment);
    const new = std.heap.wasm_allocator.alignedAlloc(u8, .@"8", size) catch return null;
    if (old) |bytes| @memcpy(new[0..@min(old_size, size)], bytes);
    return new.ptr;
}
