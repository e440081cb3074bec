export * from "@cornerstonejs/core";
