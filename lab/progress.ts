/**
 * Progress, as lines on stderr: what, which step of how many, and how long each took.
 */
export type Progress = {
  step: <Result>(what: string, action: () => Promise<Result>) => Promise<Result>;
  say: (line: string) => void;
};

export function progressOf(total: number): Progress {
  let done = 0;
  const say = (line: string): void => void process.stderr.write(`lab: ${line}\n`);
  return {
    say,
    step: async (what, action) => {
      const place = `[${++done}/${total}] ${what}`;
      const began = Date.now();
      say(`${place} ...`);
      const result = await action();
      say(`${place}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
      return result;
    },
  };
}
