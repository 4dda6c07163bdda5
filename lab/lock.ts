/**
 * One at a time may change the labs of this machine. The lock is an abstract Unix socket: the kernel gives it up with the process that
 * holds it, however that one ends, so it can never be stale.
 */
import { connect, createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const address = "\0hard-way-lab";

/** Runs an action while holding the lock; waits for whoever holds it now, and says so once. */
export async function withLock<Result>(action: () => Promise<Result>, onWait: () => void): Promise<Result> {
  const server = await acquire(onWait);
  try {
    return await action();
  } finally {
    server.close();
  }
}

async function acquire(onWait: () => void): Promise<Server> {
  for (let attempt = 0; ; attempt++) {
    const server = createServer();
    const taken = await new Promise<boolean>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(true) : reject(error)));
      server.listen(address, () => resolve(false));
    });
    if (!taken) return server;
    if (attempt === 0) onWait();
    await waitForHolder();
    await sleep(100);
  }
}

/** Ends when the holder closes its socket or dies. */
function waitForHolder(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.on("close", () => resolve());
    socket.on("error", () => resolve());
  });
}
