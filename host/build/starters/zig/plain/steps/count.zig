const std = @import("std");

const Input = struct {
    steps: struct { greet: struct { text: []const u8 } },
};

pub fn main(init: std.process.Init) !void {
    const arena = init.arena.allocator();
    var stdin = std.Io.File.stdin().reader(init.io, &.{});
    const text = try stdin.interface.allocRemaining(arena, .unlimited);
    const input = try std.json.parseFromSliceLeaky(Input, arena, text, .{ .ignore_unknown_fields = true });
    const letters = try std.unicode.utf8CountCodepoints(input.steps.greet.text);
    var stdout = std.Io.File.stdout().writer(init.io, &.{});
    try stdout.interface.print("{f}\n", .{std.json.fmt(.{ .letters = letters }, .{})});
}
