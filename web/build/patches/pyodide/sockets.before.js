import("ws")
