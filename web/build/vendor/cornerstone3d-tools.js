export * from "@cornerstonejs/tools";
