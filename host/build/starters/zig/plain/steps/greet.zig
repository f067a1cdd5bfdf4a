//! A step gets the event, the outputs of the steps before, and who runs this attempt, as JSON on stdin and in its first
//! argument. What it prints is its output, stderr its log. Exit code 65 fails it for good; after any other it is tried
//! again.
const std = @import("std");

const Input = struct {
    event: struct { data: struct { name: []const u8 = "world" } },
    ctx: struct { attempt: u32 },
};

pub fn main(init: std.process.Init) !void {
    const arena = init.arena.allocator();
    var stdin = std.Io.File.stdin().reader(init.io, &.{});
    const text = try stdin.interface.allocRemaining(arena, .unlimited);
    const input = std.json.parseFromSliceLeaky(Input, arena, text, .{ .ignore_unknown_fields = true }) catch
        std.process.exit(65);
    const name = input.event.data.name;
    std.debug.print("greeting {s}, attempt {d}\n", .{ name, input.ctx.attempt });
    var stdout = std.Io.File.stdout().writer(init.io, &.{});
    const greeting = try std.fmt.allocPrint(arena, "Hello, {s}!", .{name});
    try stdout.interface.print("{f}\n", .{std.json.fmt(.{ .text = greeting }, .{})});
}
