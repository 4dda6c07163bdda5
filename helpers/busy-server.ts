/**
 * An API server that is healthy and busy turns requests away, and says when to come again, by 429 and Retry-After.
 * https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
 */
import { setTimeout as sleep } from "node:timers/promises";
import { request, type Dispatcher } from "undici";

type Options = NonNullable<Parameters<typeof request<null>>[1]> & { signal: AbortSignal };

const attemptsAtMost = 4;

/**
 * Sends a request, and sends it again when the server asks for that. What it has turned away it has not begun, so that what creates an
 * object may be sent again, too. Everything else is an answer, also a 5xx with Retry-After: that server is not busy, it has failed.
 * @param endsAt in milliseconds since 1970: a server that asks to wait for longer has given its answer
 */
export async function requestWhenFree(url: string, options: Options, endsAt: number): Promise<Dispatcher.ResponseData> {
  for (let attempt = 1; ; attempt++) {
    const response = await request(url, options);
    const pauseMs = pauseAskedFor(response);
    if (pauseMs === undefined || attempt === attemptsAtMost || Date.now() + pauseMs >= endsAt) return response;
    // A body that nobody reads would keep its connection.
    await response.body.dump();
    await sleep(pauseMs, undefined, { signal: options.signal });
  }
}

/** An API server counts in seconds, and never names a date. */
function pauseAskedFor({ statusCode, headers }: Dispatcher.ResponseData): number | undefined {
  const [seconds] = /^\d+$/.exec(String(headers["retry-after"])) ?? [];
  return statusCode === 429 && seconds !== undefined ? Number(seconds) * 1000 : undefined;
}
