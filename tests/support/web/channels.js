// @ts-check
// Message channels, also those that modules make: import it before them. They are closed after each test, since an
// open one would keep the process from ending.
import { afterEach } from 'node:test';

/** @type {MessagePort[]} */
const open = [];

class RecordedChannel extends MessageChannel {
  constructor() {
    super();
    open.push(this.port1, this.port2);
  }
}

Object.assign(globalThis, { MessageChannel: RecordedChannel });
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});
