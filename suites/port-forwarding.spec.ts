import { expect, forEach, test } from "../fixtures/index.ts";

test("port-forward: a local port forwarded to a Pod answers, on every worker", async ({ podOfEachNode, forward, byHand }) => {
  for (const pod of podOfEachNode) {
    byHand(`kubectl -n ${pod.namespace} port-forward pod/${pod.name} 8080:${pod.port} & sleep 1; curl --head http://127.0.0.1:8080`);
  }

  const seen = await forEach(podOfEachNode, async (pod) => {
    const { head, close } = await forward(pod);
    const inTurn = [await head(), await head(), await head()];
    const atOnce = await Promise.all([head(), head()]);
    await close();
    return { pod: pod.where, answers: [...inTurn, ...atOnce], afterClosing: await head() };
  });

  const answer = expect.stringMatching(/^200 from nginx/);
  expect(seen, "three answers in turn, two at once, and none after closing").toEqual(
    podOfEachNode.map((pod) => ({
      pod: pod.where,
      answers: [answer, answer, answer, answer, answer],
      afterClosing: expect.stringMatching(/^refused/),
    })),
  );
});
