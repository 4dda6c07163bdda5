/**
 * Parts that several patterns have. What has no bound in them must not be tried anew from each character: a long line takes forever then.
 */

/** A quote, with the backslashes that JSON within JSON puts in front of it: `"`, `'`, `\"`, `\\\"`. */
export const quote = String.raw`\\{0,9}["']`;

/** What stands in quotes, to the same quote once more, or to the end of a line that was cut off. */
export const quoted = String.raw`(?<quote>${quote})(?:(?!(?<!\\)\k<quote>).)*(?:\k<quote>|$)`;

/** What stands in front of each line of a journal, the unit, or of a message, a file; and whose words they pass on: `etcd: `. */
export const unit = String.raw`(?:[\w./-]+: ){0,2}`;

/** A word of base64, of any length. */
export const base64 = "[A-Za-z0-9+/]+={0,2}";
