export * from '@cornerstonejs/core';
