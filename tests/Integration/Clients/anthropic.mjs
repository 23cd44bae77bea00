// The official JavaScript SDK of Anthropic as an application uses it: only the base address and the key are changed.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import {
  apiKey,
  baseURL,
  check,
  facts,
  failingModel,
  hello,
  kind,
  model,
  modelOnce,
  oslo,
  pixel,
  report,
  schema,
  thrown,
} from "./checks.mjs";

const client = new Anthropic({ baseURL: baseURL.replace(/\/v1$/, ""), apiKey, maxRetries: 0 });
const messages = [{ role: "user", content: "Hello!" }];
const tools = [
  { name: "get_weather", description: "The weather", input_schema: schema },
  { name: "get_time", input_schema: { type: "object", properties: {} } },
];
const thinking = { type: "enabled", budget_tokens: 1024 };

await check("a call", async () => {
  const answer = await client.messages.create({ model: model(), max_tokens: 1024, messages });
  assert.equal(answer.content[0].text, hello);
  assert.equal(answer.type, "message");
  assert.equal(answer.role, "assistant");
  assert.equal(answer.stop_reason, "end_turn");
  assert.equal(answer.stop_sequence, null);
  assert.equal(answer.usage.input_tokens, 19);
  assert.equal(answer.usage.output_tokens, 9);
  assert.ok(answer._request_id);
});

await check("a stream", async () => {
  let text = "";
  const names = [];
  for await (const event of await client.messages.create({ model: model(), max_tokens: 1024, messages, stream: true })) {
    names.push(event.type);
    if (event.type === "content_block_delta") text += event.delta.text;
  }
  assert.equal(text, hello);
  assert.equal(names[0], "message_start");
  assert.equal(names.at(-1), "message_stop");
});

await check("the helper of streams", async () => {
  let text = "";
  const stream = client.messages
    .stream({ model: model(), max_tokens: 1024, messages })
    .on("text", (delta) => (text += delta));
  const whole = await stream.finalMessage();
  assert.equal(text, hello);
  assert.equal(whole.content[0].text, hello);
  assert.equal(whole.usage.input_tokens, 19);
  assert.equal(whole.usage.output_tokens, 9);
  assert.ok(stream.request_id);
});

await check("several tools, streamed", async () => {
  const whole = await client.messages
    .stream({ model: model("tool-calls=2"), max_tokens: 1024, messages, tools })
    .finalMessage();
  const calls = whole.content.filter((b) => b.type === "tool_use");
  assert.deepEqual(
    calls.map((c) => c.name),
    ["get_weather", "get_time"],
  );
  assert.equal(whole.stop_reason, "tool_use");
  for (const call of calls) assert.equal(typeof call.input, "object");
});

for (const stream of [false, true]) {
  await check(`the runner of tools${stream ? ", streamed" : ""}`, async () => {
    const called = [];
    const runner = client.beta.messages.toolRunner({
      model: modelOnce("tool-calls=2"),
      max_tokens: 1024,
      messages,
      stream,
      tools: ["get_weather", "get_time"].map((name) =>
        betaTool({
          name,
          description: "A tool",
          inputSchema: { type: "object", properties: {} },
          run: () => {
            called.push(name);
            return "eleven degrees";
          },
        }),
      ),
    });
    const last = await runner.runUntilDone();
    assert.equal(last.content.find((b) => b.type === "text").text, hello);
    assert.deepEqual(called.sort(), ["get_time", "get_weather"]);
  });
}

await check("an image and a document", async () => {
  const content = [
    { type: "text", text: "What is it?" },
    { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } },
    { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBERi0xLjQ=" } },
  ];
  const answer = await client.messages.create({
    model: model(),
    max_tokens: 1024,
    messages: [{ role: "user", content }],
  });
  assert.equal(answer.content[0].text, hello);
});

await check("structured output", async () => {
  const answer = await client.messages.parse({
    model: model(oslo),
    max_tokens: 1024,
    messages,
    output_config: { format: { type: "json_schema", schema } },
  });
  assert.equal(JSON.parse(answer.content[0].text).city, "Oslo");
});

for (const stream of [false, true]) {
  await check(`thoughts, signed, in a loop of tools${stream ? ", streamed" : ""}`, async () => {
    const asked = {
      model: modelOnce("reasoning=Let%20me%20think.,tool-calls=1"),
      max_tokens: 4096,
      thinking,
      messages,
      tools,
    };
    const ask = (body) => (stream ? client.messages.stream(body).finalMessage() : client.messages.create(body));
    const first = await ask(asked);
    const thought = first.content.find((b) => b.type === "thinking");
    assert.equal(thought.thinking, "Let me think.");
    assert.equal(typeof thought.signature, "string");
    const call = first.content.find((b) => b.type === "tool_use");
    const second = await ask({
      ...asked,
      messages: [
        ...messages,
        { role: "assistant", content: first.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "eleven degrees" }] },
      ],
    });
    assert.equal(second.content.find((b) => b.type === "text").text, hello);
  });
}

await check("why it ended", async () => {
  const commands = kind === "anthropic" ? "finish-reason=max_tokens" : "finish-reason=length";
  const answer = await client.messages.create({ model: model(commands), max_tokens: 1024, messages });
  assert.equal(answer.stop_reason, "max_tokens");
  if (kind === "anthropic") {
    const stopped = await client.messages.create({
      model: model("stop-sequence=END"),
      max_tokens: 1024,
      messages,
      stop_sequences: ["END"],
    });
    assert.equal(stopped.stop_reason, "stop_sequence");
    assert.equal(stopped.stop_sequence, "END");
  }
});

await check("tokens from a cache", async () => {
  const { usage } = await client.messages.create({ model: model("usage=details"), max_tokens: 1024, messages });
  assert.ok(usage.cache_read_input_tokens > 0);
  // Here what came from the cache is not part of the others.
  const all = usage.input_tokens + usage.cache_read_input_tokens + (usage.cache_creation_input_tokens ?? 0);
  assert.equal(all, 2006);
});

const errors = [
  [400, Anthropic.BadRequestError, "invalid_request_error"],
  [403, Anthropic.PermissionDeniedError, "permission_error"],
  [404, Anthropic.NotFoundError, "not_found_error"],
  [429, Anthropic.RateLimitError, "rate_limit_error"],
  [500, Anthropic.InternalServerError, "api_error"],
  [529, Anthropic.InternalServerError, "overloaded_error"],
];
for (const [status, type, word] of errors) {
  await check(`the error ${status}`, async () => {
    const name = failingModel(`status=${status},error-message=It%20went%20wrong.,retry-after=7`);
    const error = await thrown(client.messages.create({ model: name, max_tokens: 1024, messages }));
    assert.ok(error instanceof type, error.constructor.name);
    assert.equal(error.status, status);
    assert.ok(error.requestID);
    assert.equal(error.error.error.type, word);
    assert.match(error.error.error.message, /It went wrong\./);
    assert.equal(error.headers.get("retry-after"), "7");
  });
}

await check("a key that is wrong", async () => {
  const stranger = new Anthropic({ baseURL: baseURL.replace(/\/v1$/, ""), apiKey: "sk-ant-wrong", maxRetries: 0 });
  const error = await thrown(stranger.messages.create({ model: model(), max_tokens: 1024, messages }));
  assert.ok(error instanceof Anthropic.AuthenticationError, error.constructor.name);
  assert.equal(error.error.type, "error");
  assert.ok(error.requestID);
});

await check("a model that is not there", async () => {
  const error = await thrown(client.messages.create({ model: "no-such-model", max_tokens: 1024, messages }));
  assert.ok(error instanceof Anthropic.NotFoundError);
  assert.equal(error.error.error.type, "not_found_error");
});

await check("an error in the stream", async () => {
  const after = kind === "anthropic" ? 5 : 3;
  const stream = await client.messages.create({
    model: failingModel(`chunk-delay-ms=40,error-after=${after},error-message=It%20broke.`),
    max_tokens: 1024,
    messages,
    stream: true,
  });
  const error = await thrown(
    (async () => {
      for await (const event of stream) void event;
    })(),
  );
  assert.ok(error instanceof Anthropic.APIError, error.constructor.name);
  assert.match(error.message, /It broke\./);
});

await check("leaving a stream", async () => {
  const { data, response } = await client.messages
    .create({ model: model("chunks=200,chunk-delay-ms=50"), max_tokens: 1024, messages, stream: true })
    .withResponse();
  facts.left = response.headers.get("x-verbatim-inference-id");
  for await (const event of data) {
    if (event.type === "content_block_delta") break; // which closes the connection
  }
});

await check("giving up a call", async () => {
  const leaving = new AbortController();
  setTimeout(() => leaving.abort(), 200);
  const call = client.messages.create(
    { model: model("delay-ms=20000"), max_tokens: 1024, messages },
    { signal: leaving.signal },
  );
  assert.ok((await thrown(call)) instanceof Anthropic.APIUserAbortError);
});

await check("counting tokens", async () => {
  const asked = { model: model(), messages };
  if (kind === "anthropic") {
    assert.equal((await client.messages.countTokens(asked)).input_tokens, 19);
    return;
  }
  const { data, response } = await client.messages.countTokens(asked).withResponse();
  assert.ok(data.input_tokens > 3 && data.input_tokens < 30, data.input_tokens);
  assert.equal(response.headers.get("x-verbatim-estimated"), "true");
});

await check("files", async () => {
  const there = { headers: { "x-verbatim-provider": `of-${kind}` } };
  const file = () => new File(["Some text."], `download-${kind}.txt`, { type: "text/plain" });
  if (kind !== "anthropic") {
    assert.ok((await thrown(client.beta.files.upload({ file: file() }, there))) instanceof Anthropic.BadRequestError);
    return;
  }
  const sent = await client.beta.files.upload({ file: file() }, there);
  const second = await client.beta.files.upload({ file: file() }, there);
  const read = await client.beta.files.retrieveMetadata(sent.id);
  assert.equal(read.filename, `download-${kind}.txt`);
  assert.equal(read.size_bytes, 10);
  const listed = [];
  for await (const one of client.beta.files.list({ limit: 1 })) listed.push(one.id);
  assert.ok(listed.indexOf(second.id) < listed.indexOf(sent.id), listed.join());
  assert.equal(await (await client.beta.files.download(sent.id)).text(), "Some text.");
  const answer = await client.beta.messages.create({
    model: model(),
    max_tokens: 1024,
    betas: ["files-api-2025-04-14"],
    messages: [
      { role: "user", content: [{ type: "document", source: { type: "file", file_id: sent.id } }, { type: "text", text: "Sum it up." }] },
    ],
  });
  assert.equal(answer.content[0].text, hello);
  assert.equal((await client.beta.files.delete(sent.id)).type, "file_deleted");
  assert.ok((await thrown(client.beta.files.retrieveMetadata(sent.id))) instanceof Anthropic.NotFoundError);
  await client.beta.files.delete(second.id);
});

await check("models", async () => {
  const names = [];
  for await (const one of client.models.list()) names.push(one.id);
  assert.ok(names.includes("simulator"), names.join());
  const one = await client.models.retrieve("simulator");
  assert.equal(one.id, "simulator");
  assert.equal(one.type, "model");
});

report();
