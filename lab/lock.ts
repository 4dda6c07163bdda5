/**
 * One at a time may change the labs of this machine. The lock is an abstract Unix socket: the kernel gives it up with the process that
 * holds it, however that one ends, so it can never be stale.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const addressOf = (name: string): string => `\0hard-way-lab${name}`;

/** Runs an action while holding the lock; waits for whoever holds it now, and says so once. */
export async function withLock<Result>(action: () => Promise<Result>, onWait: () => void): Promise<Result> {
  const release = await acquireLock("", onWait);
  try {
    return await action();
  } finally {
    release();
  }
}

/**
 * Waits until the lock is free and takes it.
 * @param name empty for the lock of all labs; a name for one that only its own kind of holder cares about
 * @returns what gives it back
 */
export async function acquireLock(name: string, onWait: () => void): Promise<() => void> {
  for (let attempt = 0; ; attempt++) {
    const waiting = new Set<Socket>();
    const server = createServer((socket) => waiting.add(socket.on("error", () => undefined)));
    if (await listens(server, addressOf(name))) return () => giveBack(server, waiting);
    if (attempt === 0) onWait();
    await waitForHolder(addressOf(name));
    await sleep(100);
  }
}

/** Closing the server alone would leave those who wait connected: they would wait for this process, and it for them. */
function giveBack(server: Server, waiting: ReadonlySet<Socket>): void {
  server.close();
  for (const socket of waiting) socket.destroy();
}

function listens(server: Server, address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(false) : reject(error)));
    server.listen(address, () => resolve(true));
  });
}

/** Ends when the holder closes its socket or dies. */
function waitForHolder(address: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.on("close", () => resolve());
    socket.on("error", () => resolve());
  });
}
