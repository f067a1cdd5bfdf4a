const std = @import("std");

const Input = struct {
    steps: struct { report: struct { lines: []const []const u8 } },
};

pub fn main(init: std.process.Init) !void {
    const arena = init.arena.allocator();
    var stdin = std.Io.File.stdin().reader(init.io, &.{});
    const text = try stdin.interface.allocRemaining(arena, .unlimited);
    const input = try std.json.parseFromSliceLeaky(Input, arena, text, .{ .ignore_unknown_fields = true });

    var html: std.Io.Writer.Allocating = .init(arena);
    for (input.steps.report.lines) |line| {
        try html.writer.writeAll("<p>");
        for (line) |byte| switch (byte) {
            '<' => try html.writer.writeAll("&lt;"),
            '&' => try html.writer.writeAll("&amp;"),
            else => try html.writer.writeByte(byte),
        };
        try html.writer.writeAll("</p>");
    }
    var stdout = std.Io.File.stdout().writer(init.io, &.{});
    try stdout.interface.print("{f}\n", .{std.json.fmt(.{ .html = html.written() }, .{})});
}
