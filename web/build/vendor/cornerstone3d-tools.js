export * from '@cornerstonejs/tools';
