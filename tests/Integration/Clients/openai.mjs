// The official JavaScript SDK of OpenAI as an application uses it: only the base address and the key are changed.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { LengthFinishReasonError } from "openai/error";
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

const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const messages = [{ role: "user", content: "Hello!" }];
const weather = { name: "get_weather", description: "The weather", parameters: schema };
const clock = { name: "get_time", parameters: { type: "object", properties: {} } };
const tools = [weather, clock].map((f) => ({ type: "function", function: f }));
const responseTools = [weather, clock].map((f) => ({ type: "function", strict: false, ...f }));

await check("chat: a call", async () => {
  const { data, request_id } = await client.chat.completions.create({ model: model(), messages }).withResponse();
  assert.equal(data.choices[0].message.content, hello);
  assert.equal(data.choices[0].finish_reason, "stop");
  assert.equal(data.object, "chat.completion");
  assert.equal(data.usage.prompt_tokens, 19);
  assert.equal(data.usage.total_tokens, 28);
  assert.ok(request_id);
});

await check("chat: a stream", async () => {
  let text = "";
  let usage;
  const stream = await client.chat.completions.create({
    model: model(),
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? "";
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, hello);
  assert.equal(usage.total_tokens, 28);
});

await check("chat: the helper of streams", async () => {
  const seen = [];
  const stream = client.chat.completions
    .stream({ model: model("tool-calls=2"), messages, tools, stream_options: { include_usage: true } })
    .on("tool_calls.function.arguments.done", (call) => seen.push(call.name));
  const whole = await stream.finalChatCompletion();
  assert.deepEqual(seen, ["get_weather", "get_time"]);
  assert.equal(whole.choices[0].finish_reason, "tool_calls");
  assert.equal(whole.choices[0].message.tool_calls.length, 2);
  for (const call of whole.choices[0].message.tool_calls) JSON.parse(call.function.arguments);
  assert.ok((await stream.totalUsage()).total_tokens > 0);
});

for (const stream of [false, true]) {
  await check(`chat: the runner of tools${stream ? ", streamed" : ""}`, async () => {
    const called = [];
    const runner = client.chat.completions.runTools({
      model: modelOnce("tool-calls=2"),
      messages,
      stream,
      tools: [weather, clock].map((f) => ({
        type: "function",
        function: {
          ...f,
          parse: JSON.parse,
          function: () => {
            called.push(f.name);
            return "eleven degrees";
          },
        },
      })),
    });
    assert.equal(await runner.finalContent(), hello);
    assert.deepEqual(called, ["get_weather", "get_time"]);
    // Question, two calls, two results, answer.
    assert.equal(runner.messages.length, 5);
  });
}

await check("chat: an image", async () => {
  const answer = await client.chat.completions.create({
    model: model(),
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "What is it?" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } },
        ],
      },
    ],
  });
  assert.equal(answer.choices[0].message.content, hello);
});

await check("chat: structured output", async () => {
  const answer = await client.chat.completions.parse({
    model: model(oslo),
    messages,
    response_format: { type: "json_schema", json_schema: { name: "city", strict: true, schema } },
  });
  assert.equal(JSON.parse(answer.choices[0].message.content).city, "Oslo");
});

await check("chat: thoughts come back with the results of tools", async () => {
  const name = modelOnce("reasoning=Let%20me%20think.,tool-calls=1");
  const asked = {
    model: name,
    messages,
    tools,
    ...(kind === "anthropic" ? { reasoning_effort: "medium", max_completion_tokens: 8000 } : {}),
  };
  const first = (await client.chat.completions.create(asked)).choices[0].message;
  assert.equal(first.reasoning_content, "Let me think.");
  const second = await client.chat.completions.create({
    ...asked,
    messages: [...messages, first, { role: "tool", tool_call_id: first.tool_calls[0].id, content: "eleven degrees" }],
  });
  assert.equal(second.choices[0].message.content, hello);
});

await check("chat: why it ended", async () => {
  const commands = kind === "anthropic" ? "finish-reason=max_tokens" : "finish-reason=length";
  const answer = await client.chat.completions.create({ model: model(commands), messages });
  assert.equal(answer.choices[0].finish_reason, "length");
  const helper = client.chat.completions.parse({
    model: model(commands),
    messages,
    response_format: { type: "json_schema", json_schema: { name: "city", strict: true, schema } },
  });
  assert.ok((await thrown(helper)) instanceof LengthFinishReasonError);
});

await check("chat: tokens from a cache", async () => {
  const answer = await client.chat.completions.create({ model: model("usage=details"), messages });
  assert.equal(answer.usage.prompt_tokens, 2006);
  assert.ok(answer.usage.prompt_tokens_details.cached_tokens > 0);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

const errors = [
  [400, OpenAI.BadRequestError],
  [403, OpenAI.PermissionDeniedError],
  [404, OpenAI.NotFoundError],
  [409, OpenAI.ConflictError],
  [422, OpenAI.UnprocessableEntityError],
  [429, OpenAI.RateLimitError],
  [500, OpenAI.InternalServerError],
  [503, OpenAI.InternalServerError],
];
for (const [status, type] of errors) {
  for (const api of ["chat", "responses"]) {
    await check(`${api}: the error ${status}`, async () => {
      const name = failingModel(`status=${status},error-message=It%20went%20wrong.,retry-after=7`);
      const error = await thrown(
        api === "chat"
          ? client.chat.completions.create({ model: name, messages })
          : client.responses.create({ model: name, input: "Hello!" }),
      );
      assert.ok(error instanceof type, error.constructor.name);
      assert.equal(error.status, status);
      assert.ok(error.requestID);
      assert.match(error.message, /It went wrong\./);
      // Azure's errors on its paths of deployments have a code alone, and pass as they are.
      assert.ok(kind === "azure-openai" && api === "chat" ? error.code : error.type);
      assert.equal(error.headers.get("retry-after"), "7");
    });
  }
}

await check("chat: a provider that refuses the gateway's own key", async () => {
  const error = await thrown(client.chat.completions.create({ model: failingModel("status=401"), messages }));
  // It is not the application's key that is wrong.
  assert.equal(error.status, 502);
});

await check("chat: a key that is wrong", async () => {
  const stranger = new OpenAI({ baseURL, apiKey: "sk-wrong", maxRetries: 0 });
  const error = await thrown(stranger.chat.completions.create({ model: model(), messages }));
  assert.ok(error instanceof OpenAI.AuthenticationError);
  assert.ok(error.requestID);
});

await check("chat: a model that is not there", async () => {
  const error = await thrown(client.chat.completions.create({ model: "no-such-model", messages }));
  assert.ok(error instanceof OpenAI.NotFoundError);
  assert.equal(error.code, "model_not_found");
});

await check("chat: an error in the stream", async () => {
  const after = kind === "anthropic" ? 5 : 3;
  const stream = await client.chat.completions.create({
    model: failingModel(`chunk-delay-ms=40,error-after=${after},error-message=It%20broke.`),
    messages,
    stream: true,
  });
  const error = await thrown(
    (async () => {
      for await (const chunk of stream) void chunk;
    })(),
  );
  assert.ok(error instanceof OpenAI.APIError, error.constructor.name);
  assert.match(error.message, /It broke\./);
});

await check("chat: leaving a stream", async () => {
  const { data, response } = await client.chat.completions
    .create({ model: model("chunks=200,chunk-delay-ms=50"), messages, stream: true })
    .withResponse();
  facts.left = response.headers.get("x-verbatim-inference-id");
  for await (const chunk of data) {
    if (chunk.choices[0]?.delta?.content) break; // which closes the connection
  }
});

await check("chat: giving up a call", async () => {
  const leaving = new AbortController();
  setTimeout(() => leaving.abort(), 200);
  const call = client.chat.completions.create(
    { model: model("delay-ms=20000"), messages },
    { signal: leaving.signal },
  );
  assert.ok((await thrown(call)) instanceof OpenAI.APIUserAbortError);
});

await check("responses: a call", async () => {
  const answer = await client.responses.create({ model: model(), input: "Hello!" });
  assert.equal(answer.output_text, hello);
  assert.equal(answer.status, "completed");
  assert.equal(answer.usage.input_tokens, 19);
  assert.equal(answer.usage.total_tokens, 28);
  assert.ok(answer._request_id);
});

await check("responses: the helper of streams", async () => {
  let text = "";
  const stream = client.responses
    .stream({ model: model(), input: "Hello!" })
    .on("response.output_text.delta", (event) => (text += event.delta));
  const whole = await stream.finalResponse();
  assert.equal(text, hello);
  assert.equal(whole.output_text, hello);
  assert.equal(whole.usage.output_tokens, 9);
});

await check("responses: several tools, streamed", async () => {
  const stream = client.responses.stream({ model: model("tool-calls=2"), input: "Hello!", tools: responseTools });
  const whole = await stream.finalResponse();
  const calls = whole.output.filter((i) => i.type === "function_call");
  assert.deepEqual(
    calls.map((c) => c.name),
    ["get_weather", "get_time"],
  );
  for (const call of calls) JSON.parse(call.arguments);
});

await check("responses: a loop of tools by previous_response_id", async () => {
  const first = await client.responses.create({
    model: model("tool-calls=1"),
    input: "Hello!",
    tools: responseTools,
  });
  const call = first.output.find((i) => i.type === "function_call");
  const second = await client.responses.create({
    model: model(),
    previous_response_id: first.id,
    tools: responseTools,
    input: [{ type: "function_call_output", call_id: call.call_id, output: "eleven degrees" }],
  });
  assert.equal(second.output_text, hello);
  assert.equal(second.previous_response_id, first.id);
  const read = await client.responses.retrieve(second.id);
  assert.equal(read.output_text, hello);
  await client.responses.delete(second.id);
  assert.ok((await thrown(client.responses.retrieve(second.id))) instanceof OpenAI.NotFoundError);
});

await check("responses: in the background", async () => {
  let answer = await client.responses.create({
    model: model("delay-ms=300"),
    input: "Hello!",
    background: true,
  });
  assert.ok(["queued", "in_progress"].includes(answer.status));
  assert.equal(answer.background, true);
  const seen = new Set();
  while (["queued", "in_progress"].includes(answer.status)) {
    seen.add(answer.status);
    await new Promise((done) => setTimeout(done, 20));
    answer = await client.responses.retrieve(answer.id);
  }
  assert.ok(seen.has("in_progress"));
  assert.equal(answer.status, "completed");
  assert.equal(answer.output_text, hello);
  const late = await thrown(client.responses.cancel(answer.id));
  assert.ok(late instanceof OpenAI.BadRequestError);
  assert.match(late.message, /Cannot cancel a completed response/);
});

await check("responses: cancelled in the background", async () => {
  const answer = await client.responses.create({
    model: model("delay-ms=20000"),
    input: "Hello!",
    background: true,
  });
  const cancelled = await client.responses.cancel(answer.id);
  assert.equal(cancelled.status, "cancelled");
  assert.equal((await client.responses.cancel(answer.id)).status, "cancelled");
  assert.equal((await client.responses.retrieve(answer.id)).status, "cancelled");
});

await check("responses: a stream in the background that is left and taken up again", async () => {
  const first = await client.responses.create({
    model: model("chunk-delay-ms=20"),
    input: "Hello!",
    background: true,
    stream: true,
  });
  const seen = [];
  for await (const event of first) {
    seen.push(event);
    if (event.type === "response.output_text.delta") break;
  }
  const id = seen[0].response.id;
  const rest = await client.responses.retrieve(id, {
    stream: true,
    starting_after: seen.at(-1).sequence_number,
  });
  for await (const event of rest) seen.push(event);
  assert.deepEqual(
    seen.map((e) => e.sequence_number),
    seen.map((_, i) => i),
  );
  const text = seen.filter((e) => e.type === "response.output_text.delta").map((e) => e.delta);
  assert.equal(text.join(""), hello);
  assert.equal(seen.at(-1).type, "response.completed");

  // The helper of streams reads it whole.
  const whole = await client.responses.stream({ response_id: id }).finalResponse();
  assert.equal(whole.output_text, hello);
});

await check("responses: a loop of tools with thoughts", async () => {
  const asked = {
    model: modelOnce(
      kind === "anthropic" ? "reasoning=Let%20me%20think.,tool-calls=1" : "reasoning=Let%20me%20think.,tool-calls=1",
    ),
    tools: responseTools,
    include: ["reasoning.encrypted_content"],
    store: false,
    ...(kind === "anthropic" ? { reasoning: { effort: "medium" }, max_output_tokens: 8000 } : {}),
  };
  const first = await client.responses.create({ ...asked, input: "Hello!" });
  const call = first.output.find((i) => i.type === "function_call");
  assert.ok(first.output.find((i) => i.type === "reasoning"));
  const second = await client.responses.create({
    ...asked,
    input: [
      { role: "user", content: "Hello!" },
      ...first.output,
      { type: "function_call_output", call_id: call.call_id, output: "eleven degrees" },
    ],
  });
  assert.equal(second.output_text, hello);
});

await check("responses: structured output", async () => {
  const answer = await client.responses.parse({
    model: model(oslo),
    input: "Hello!",
    text: { format: { type: "json_schema", name: "city", strict: true, schema } },
  });
  assert.equal(JSON.parse(answer.output_text).city, "Oslo");
});

await check("responses: an image", async () => {
  const answer = await client.responses.create({
    model: model(),
    input: [
      {
        role: "user",
        content: [
          { type: "input_text", text: "What is it?" },
          { type: "input_image", detail: "auto", image_url: `data:image/png;base64,${pixel}` },
        ],
      },
    ],
  });
  assert.equal(answer.output_text, hello);
});

await check("responses: an error in the stream", async () => {
  const after = ["openai", "azure-openai", "vllm"].includes(kind) ? 6 : kind === "anthropic" ? 5 : 3;
  const stream = await client.responses.create({
    model: failingModel(`chunk-delay-ms=40,error-after=${after},error-message=It%20broke.`),
    input: "Hello!",
    stream: true,
  });
  let seen;
  try {
    for await (const event of stream) {
      if (event.type === "error") seen = event.message;
      if (event.type === "response.failed") seen = event.response.error.message;
    }
  } catch (error) {
    seen = error.message;
  }
  assert.match(seen, /It broke\./);
});

await check("models", async () => {
  const names = [];
  for await (const one of client.models.list()) names.push(one.id);
  assert.ok(names.includes("simulator"), names.join());
  assert.equal((await client.models.retrieve("simulator")).id, "simulator");
  assert.ok((await thrown(client.models.retrieve("no-such-model"))) instanceof OpenAI.NotFoundError);
});

await check("embeddings", async () => {
  const asked = { model: model(), input: ["one", "two"] };
  if (kind === "anthropic") {
    const error = await thrown(client.embeddings.create(asked));
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, "model");
    return;
  }
  const answer = await client.embeddings.create(asked);
  assert.equal(answer.data.length, 2);
  // The client asks for base64 and makes numbers of it.
  assert.ok(answer.data[0].embedding.every(Number.isFinite));
});

await check("moderations", async () => {
  const asked = { model: model(), input: "Hello!" };
  if (["anthropic", "azure-openai"].includes(kind)) assert.equal((await thrown(client.moderations.create(asked))).param, "model");
  else assert.equal((await client.moderations.create(asked)).results[0].flagged, false);
});

await check("legacy completions", async () => {
  const asked = { model: model(), prompt: "Hello!" };
  if (kind === "anthropic") assert.equal((await thrown(client.completions.create(asked))).param, "model");
  else assert.ok((await client.completions.create(asked)).choices[0].text.length > 0);
});

const there = { headers: { "x-verbatim-provider": `of-${kind}` } };

await check("files", async () => {
  const content = new Uint8Array(70_000).map((_, i) => i * 7);
  const sent = () =>
    client.files.create({ file: new File([content], "notes.bin", { type: "text/plain" }), purpose: "user_data" }, there);
  if (kind === "anthropic") {
    const error = await thrown(sent());
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.code, "file_provider_needed");
    return;
  }
  const several = await thrown(client.files.create({ file: new File(["x"], "a.txt"), purpose: "user_data" }));
  assert.equal(several.code, "file_provider_needed");
  assert.match(several.message, /Several providers keep files.*'of-openai'/);
  const file = await sent();
  const second = await sent();
  assert.match(file.id, /^file-/);
  const read = await client.files.retrieve(file.id);
  assert.equal(read.filename, "notes.bin");
  assert.equal(read.bytes, 70_000);
  const listed = [];
  for await (const one of client.files.list({ limit: 1, purpose: "user_data" })) listed.push(one.id);
  assert.ok(listed.indexOf(second.id) < listed.indexOf(file.id), listed.join());
  assert.deepEqual(new Uint8Array(await (await client.files.content(file.id)).arrayBuffer()), content);
  const answer = await client.chat.completions.create({
    model: model(),
    messages: [{ role: "user", content: [{ type: "text", text: "Sum it up." }, { type: "file", file: { file_id: file.id } }] }],
  });
  assert.equal(answer.choices[0].message.content, hello);
  assert.equal((await client.files.delete(file.id)).deleted, true);
  assert.ok((await thrown(client.files.retrieve(file.id))) instanceof OpenAI.NotFoundError);
  await client.files.delete(second.id);
});

await check("speech", async () => {
  const asked = { model: model("bytes=50000,chunks=5"), voice: "alloy", input: "Hello!" };
  if (kind === "anthropic") {
    assert.equal((await thrown(client.audio.speech.create(asked))).param, "model");
    return;
  }
  const sound = await client.audio.speech.create(asked);
  assert.equal((await sound.arrayBuffer()).byteLength, 50_000);
});

await check("transcripts, streamed", async () => {
  const asked = { model: model(), file: new File([new Uint8Array(10)], "a.wav"), stream: true };
  if (kind === "anthropic") {
    assert.equal((await thrown(client.audio.transcriptions.create(asked))).param, "model");
    return;
  }
  let text = "";
  let whole;
  for await (const event of await client.audio.transcriptions.create(asked)) {
    if (event.type === "transcript.text.delta") text += event.delta;
    if (event.type === "transcript.text.done") whole = event.text;
  }
  assert.equal(text, hello);
  assert.equal(whole, hello);
});

report();
