/**
 * Progress, as lines on stderr: what, which step of how many, and how long each took.
 */
export type Step = readonly [what: string, action: () => Promise<unknown>];

export const say = (line: string): void => void process.stderr.write(`lab: ${line}\n`);

/** Takes the steps in order; what fails ends it, without saying that it is done. */
export async function inSteps(steps: readonly Step[]): Promise<void> {
  for (const [index, [what, action]] of steps.entries()) {
    const place = `[${index + 1}/${steps.length}] ${what}`;
    const began = Date.now();
    say(`${place} ...`);
    await action();
    say(`${place}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
  }
}
