// The official JavaScript SDK as an application uses it. Prints one JSON object of what it saw.
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: process.argv[3], maxRetries: 0 });
const messages = [{ role: "user", content: "Hello!" }];
const seen = {};

const whole = await client.chat.completions.create({ model: "simulator", messages });
seen.whole = whole.choices[0].message.content;
seen.wholeUsage = whole.usage.total_tokens;

let text = "";
const stream = await client.chat.completions.create({
  model: "simulator",
  messages,
  stream: true,
  stream_options: { include_usage: true },
});
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta?.content ?? "";
  if (chunk.usage) seen.streamUsage = chunk.usage.total_tokens;
}
seen.stream = text;

const tools = [{ type: "function", function: { name: "get_weather", parameters: { type: "object" } } }];
const called = await client.chat.completions.create({ model: "simulator", messages, tools, tool_choice: "required" });
seen.tool = called.choices[0].message.tool_calls[0].function.name;

try {
  await client.chat.completions.create({ model: "no-such-model", messages });
} catch (error) {
  seen.error = { status: error.status, code: error.code, name: error.constructor.name };
}

const { data: left, response } = await client.chat.completions
  .create({ model: "simulator:chunks=50,chunk-delay=50ms", messages, stream: true })
  .withResponse();
seen.leftId = response.headers.get("x-verbatim-inference-id");
for await (const chunk of left) {
  if (chunk.choices[0]?.delta?.content) break; // leaves the stream, which closes the connection
}

console.log(JSON.stringify(seen));
