//! A typed step exports millrace:step/handler: it gets its input as records, and returns its output as JSON text.
const std = @import("std");
const step = @import("step.zig");

export fn @"millrace:step/handler@0.1.0#run"(input: *const step.Input) *const step.Result {
    return greet(input) catch |problem| step.fatal(@errorName(problem));
}

const Data = struct { name: []const u8 = "world" };

fn greet(input: *const step.Input) !*const step.Result {
    const allocator = std.heap.wasm_allocator;
    const text = input.event.data.slice();
    const data = try std.json.parseFromSliceLeaky(Data, allocator, text, .{ .ignore_unknown_fields = true });
    const message = "greeting {s}, attempt {d}";
    step.say(.info, try std.fmt.allocPrint(allocator, message, .{ data.name, input.ctx.attempt }));
    const greeting = try std.fmt.allocPrint(allocator, "Hello, {s}!", .{data.name});
    return step.output(try std.fmt.allocPrint(allocator, "{f}", .{std.json.fmt(.{ .text = greeting }, .{})}));
}
