# Of an EncryptionConfiguration, in block style, in braces or as JSON, only this leaves the host: its punctuation, the words below, and what
# stands behind `resources`, `name`, `kind` and `apiVersion`. Every other word becomes an x, whatever it is and however it is written.

BEGIN {
  split("kind apiVersion resources providers keys name secret aescbc aesgcm secretbox identity kms endpoint cachesize timeout", words)
  for (number in words) known[words[number]] = 1
  # Octal 47 is a single quote.
  punctuation = "^[][ \t{},\"\047]+"
  word = "^[^][ \t{},\"\047]+"
}

# What is shown of a value: `field` is the key that it stands behind.
function shown(text) {
  # Marks of YAML. Those of blocks and tags say nothing where the value is an x.
  if (text ~ /^(-|---|:|[|>][-+0-9]*|[&!].*)$/) return text ~ /^[-:]/ ? text : ""
  if (field == "resources") return text ~ /^[a-z0-9*][a-z0-9.*\/-]*$/ && length(text) < 64 ? text : "x"
  if (field != "name" && field != "kind" && field != "apiVersion") return "x"
  # It has one value.
  field = ""
  return text
}

{
  # Comments, and line ends of Windows.
  sub(/\r$/, "")
  sub(/^#.*/, "")
  sub(/[ \t]#.*/, "")

  line = ""
  for (rest = $0; rest != ""; rest = substr(rest, RLENGTH + 1)) {
    if (match(rest, punctuation)) {
      line = line substr(rest, 1, RLENGTH)
      continue
    }
    match(rest, word)
    text = substr(rest, 1, RLENGTH)
    behind = substr(rest, RLENGTH + 1)
    isKey = text != ":" && (text ~ /:$/ || behind ~ /^["\047]?[ \t]*:/)
    if (!isKey) {
      line = line shown(text)
      continue
    }
    colon = text ~ /:$/ ? ":" : ""
    sub(/:$/, "", text)
    field = text
    line = line (text in known ? text : "x") colon
  }
  print line
}
