// Counts the texts of a JSON file, an object of lists, with the tokenizers of OpenAI's models.
import { readFileSync } from "node:fs";
import { countTokens as o200k } from "gpt-tokenizer/encoding/o200k_base";
import { countTokens as cl100k } from "gpt-tokenizer/encoding/cl100k_base";

const texts = JSON.parse(readFileSync(process.argv[2], "utf8"));
const count = (tokenizer) =>
  Object.fromEntries(Object.entries(texts).map(([kind, all]) => [kind, all.map((text) => tokenizer(text))]));
console.log(JSON.stringify({ o200k: count(o200k), cl100k: count(cl100k) }));
