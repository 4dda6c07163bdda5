/**
 * A check that could not look, because of what another one judges: how it says so, and how that is read again. Its message is all that
 * comes from the check to whoever names its cause.
 */
import { InconclusiveError } from "./errors.ts";

/** @param judge the id of the check that has failed, and tells more */
export const notLookedAt = (judge: string, reason: string, cause?: unknown): InconclusiveError =>
  new InconclusiveError(`not looked at, because \`${judge}\` failed: ${reason}`, { cause });

/** Undefined where a message is of something else. */
export function judgeIn(message: string): { judge: string; reason: string } | undefined {
  const [, judge, reason] = /^not looked at, because `([\w-]+)` failed: ([^]*)$/.exec(message) ?? [];
  return judge === undefined || reason === undefined ? undefined : { judge, reason };
}
