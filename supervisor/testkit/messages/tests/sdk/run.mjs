// Plays a program that uses the official SDK for JavaScript, against any server that speaks the Messages API. Its
// environment, arguments and output are those of run.py beside it.
import Anthropic from '@anthropic-ai/sdk';

const MODEL = process.env.SDK_MODEL ?? 'claude-sonnet-5-5';
const TOOLS = [{
  name: 'get_weather',
  description: 'The weather of a place.',
  input_schema: { type: 'object', properties: { location: { type: 'string' } }, required: ['location'] },
}];

const say = (line) => console.log(JSON.stringify(line));
const ask = (text) => ({ model: MODEL, max_tokens: 4096, messages: [{ role: 'user', content: text }] });
const textOf = (message) => message.content.filter((b) => b.type === 'text').map((b) => b.text).join('');

function check(condition, what) {
  if (!condition) throw new Error(`wrong: ${typeof what === 'string' ? what : JSON.stringify(what)}`);
}

/** A client that counts its requests and keeps the answers' statuses and headers. */
function counted(options = {}) {
  const answers = [];
  const counting = async (...request) => {
    const response = await fetch(...request);
    response.came = performance.now();
    answers.push(response);
    return response;
  };
  return { client: new Anthropic({ ...options, fetch: counting }), answers };
}

async function failure(action) {
  let answer;
  try {
    answer = await action();
  } catch (error) {
    if (error instanceof Anthropic.AnthropicError) return error;
    throw error;
  }
  throw new Error(`this should have failed: ${JSON.stringify(answer)}`);
}

async function plain() {
  const message = await new Anthropic().messages.create(ask('good morning'));
  check(textOf(message).includes('good morning'), message);
  check(message.usage.input_tokens > 0 && message.usage.output_tokens > 0, message.usage);
  return { text: textOf(message), usage: message.usage };
}

async function stream() {
  const pieces = [];
  const events = new Anthropic().messages.stream(ask('good evening to everybody'));
  events.on('text', (piece) => pieces.push(piece));
  const message = await events.finalMessage();
  check(pieces.length > 1, pieces);
  check(textOf(message).includes('good evening to everybody') && pieces.join('') === textOf(message), message);
  return { pieces: pieces.length, usage: message.usage };
}

async function toolLoop() {
  for (const streams of [false, true]) {
    const client = new Anthropic();
    const messages = [{ role: 'user', content: '[script:tools-parallel]' }];
    const calls = await turn(client, messages, streams);
    check(calls.content.map((c) => c.input.location).join() === 'Oslo,Rome', calls);
    const results = calls.content.map((call) => ({ type: 'tool_result', tool_use_id: call.id, content: `rain in ${call.input.location}` }));
    messages.push({ role: 'assistant', content: calls.content }, { role: 'user', content: results });
    const last = await turn(client, messages, streams);
    check(textOf(last).includes('rain in Oslo rain in Rome') && last.stop_reason === 'end_turn', last);
  }
  return {};
}

function turn(client, messages, streams) {
  const wanted = { model: MODEL, max_tokens: 1024, messages, tools: TOOLS };
  return streams ? client.messages.stream(wanted).finalMessage() : client.messages.create(wanted);
}

async function abort() {
  const { client, answers } = counted();
  const events = await client.messages.create({ ...ask('[script:long tokens=4000 pace=5ms]'), stream: true });
  let number = 0;
  for await (const event of events) {
    if (event.type === 'content_block_delta' && ++number === 3) break;
  }
  events.controller.abort();
  const message = await client.messages.create(ask('still there'));
  check(textOf(message).includes('still there'), message);
  check(answers.length === 2, `asked ${answers.length} times`);
  return {};
}

async function countTokens() {
  const { max_tokens, ...wanted } = ask('count these words');
  const count = await new Anthropic().messages.countTokens(wanted);
  check(count.input_tokens > 0, count);
  return { input_tokens: count.input_tokens };
}

async function models() {
  const ids = [];
  for await (const model of new Anthropic().models.list()) ids.push(model.id);
  check(ids.includes(MODEL), ids);
  return { ids };
}

async function outOfBudget() {
  let error;
  for (const streams of [false, true]) {
    const { client, answers } = counted();
    error = await failure(() => turn(client, [{ role: 'user', content: 'hello' }], streams));
    check(error instanceof Anthropic.PaymentRequiredError, String(error));
    check(error.type === 'billing_error' && error.error?.error?.message, error.error ?? 'no body');
    check(answers.length === 1, `asked ${answers.length} times`);
  }
  return { error: error.constructor.name, shown: error.message };
}

/** The budget ends in mid-stream: what came before it is there, then an error that says why. */
async function budgetEnds() {
  const { client, answers } = counted();
  const pieces = [];
  const events = client.messages.stream({ ...ask('[script:long tokens=100000]'), max_tokens: 100_000 });
  events.on('text', (piece) => pieces.push(piece));
  const error = await failure(() => events.finalMessage());
  check(error instanceof Anthropic.APIError && error.type === 'billing_error', String(error));
  check(pieces.length > 0 && answers.length === 1 && answers[0].status === 200, `asked ${answers.length} times`);
  return { error: error.constructor.name, pieces: pieces.length, shown: error.message };
}

async function unknownModel() {
  const error = await failure(() => new Anthropic().messages.create({ ...ask('hello'), model: 'no-such-model' }));
  check(error instanceof Anthropic.BadRequestError || error instanceof Anthropic.NotFoundError, String(error));
  return { error: error.constructor.name, shown: error.message };
}

async function wrongKey() {
  const error = await failure(() => new Anthropic({ apiKey: 'not-the-key' }).messages.create(ask('hello')));
  check(error instanceof Anthropic.AuthenticationError, String(error));
  return { error: error.constructor.name, shown: error.message };
}

/** Five hold the line; the sixth is told when to come back, and is served once they are done. */
async function sixth() {
  const five = Array.from({ length: 5 }, hold);
  await Promise.all(five.map((one) => one.held));
  const refused = counted({ maxRetries: 0 });
  const error = await failure(() => refused.client.messages.create(ask('me too')));
  check(error instanceof Anthropic.RateLimitError && error.type === 'rate_limit_error', String(error));
  const after = Number(refused.answers[0].headers.get('retry-after'));
  check(after > 0 && after <= 60, `retry-after: ${after}`);
  const patient = counted({ maxRetries: 60 });
  const waiting = patient.client.messages.create(ask('me at last'));
  while (patient.answers.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  check(patient.answers[0].status === 429, `not ${patient.answers[0].status}`);
  await release();
  const message = await waiting;
  check(textOf(message).includes('me at last'), message);
  const waited = patient.answers[1].came - patient.answers[0].came;
  check(waited >= after * 900, `it should have waited as long as it was told, not ${waited} ms`);
  await Promise.all(five.map((one) => one.done));
  return { retry_after: after, shown: error.message };
}

function hold() {
  const events = new Anthropic({ maxRetries: 0 }).messages.stream(ask('[script:hang-midstream]'));
  const held = new Promise((resolve, reject) => {
    events.on('streamEvent', resolve);
    events.on('error', reject);
  });
  return { held, done: events.done() };
}

/** Whoever drives the scripted provider lets it go on: we ourselves, or the reader of this line. */
async function release() {
  say({ case: 'sixth', waits_for: 'release' });
  const control = process.env.SCRIPTED_MESSAGES;
  if (control) await fetch(`${control}/_release`, { method: 'POST' });
}

async function script(given) {
  const beta = given.endsWith('+beta');
  const name = given.replace(/\+beta$/, '');
  for (const streams of [true, false]) {
    const client = new Anthropic({ maxRetries: 0, timeout: 60_000 });
    const api = beta ? client.beta.messages : client.messages;
    const line = { script: name, stream: streams };
    try {
      const wanted = ask(`[script:${name}]`);
      const message = streams ? await api.stream(wanted).finalMessage() : await api.create(wanted);
      const tools = message.content.filter((b) => b.type === 'tool_use').map((b) => [b.name, b.input]);
      say({ ...line, outcome: message.stop_reason, text: textOf(message), usage: message.usage, tools });
    } catch (error) {
      // What a client makes of nonsense is what we want to know, whatever it is.
      say({ ...line, outcome: error.constructor.name, shown: String(error.message), type: error.type ?? null });
    }
  }
}

const CASES = {
  plain, stream, 'tool-loop': toolLoop, abort, 'count-tokens': countTokens, models,
  'out-of-budget': outOfBudget, 'budget-ends': budgetEnds, 'unknown-model': unknownModel, 'wrong-key': wrongKey, sixth,
};

const names = process.argv.slice(2);
if (names[0] === 'script') {
  for (const name of names.slice(1)) await script(name);
} else {
  for (const name of names) {
    try {
      say({ case: name, ok: true, ...(await CASES[name]()) });
    } catch (error) {
      process.exitCode = 1;
      say({ case: name, ok: false, why: `${error.constructor.name}: ${error.message}` });
    }
  }
}
