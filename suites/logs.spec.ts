import { expect, forEach, test } from "../fixtures/index.ts";

// The request is made through a forward to the very Pod whose log is read, and carries a token of this run: another Pod's log, or an
// old line, cannot pass for it.
test("logs-recorded: a request to a Pod appears in its container's log, on every worker", async ({
  podOfEachNode,
  requestWithToken,
  logs,
  byHand,
}) => {
  for (const pod of podOfEachNode) byHand(`kubectl -n ${pod.namespace} logs ${pod.name} -c ${pod.container}`);

  const lines = await forEach(podOfEachNode, async (pod) => {
    // A log that cannot be read is this check's affair, and that no request comes through a forward is another's.
    await logs.read(pod);
    const token = await requestWithToken(pod);
    return { pod: pod.where, line: (await logs.lineWith(pod, token)).replace(token, "TOKEN") };
  });

  expect(lines, "the request in each Pod's log: from 127.0.0.1, method, path, status").toEqual(
    podOfEachNode.map((pod) => ({ pod: pod.where, line: expect.stringMatching(/^127\.0\.0\.1 .*"GET \/TOKEN HTTP\/1\.[01]" 404 /) })),
  );
});

test("logs-followed: following a log shows a request as it comes in, on every worker", async ({
  podOfEachNode,
  requestWithToken,
  logs,
  byHand,
}) => {
  for (const pod of podOfEachNode) byHand(`kubectl -n ${pod.namespace} logs --follow --tail=1 ${pod.name} -c ${pod.container}`);

  const lines = await forEach(podOfEachNode, async (pod) => {
    const followed = await logs.follow(pod);
    const token = await requestWithToken(pod);
    return { pod: pod.where, line: (await followed.lineWith(token)).replace(token, "TOKEN") };
  });

  expect(lines, "the request, live, in each Pod's log").toEqual(
    podOfEachNode.map((pod) => ({ pod: pod.where, line: expect.stringMatching(/"GET \/TOKEN HTTP\/1\.[01]" 404 /) })),
  );
});
