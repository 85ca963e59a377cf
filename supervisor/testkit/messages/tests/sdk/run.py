"""Plays a program that uses the official SDK for Python, against any server that speaks the Messages API.

ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY say where, SDK_MODEL which model. Arguments are cases; each prints lines of JSON,
and the program ends with 1 if a case fails. `script NAME`, and `script NAME+beta`, print what the client made of a script.
"""

import json
import os
import sys
import threading
import time
import urllib.request

import anthropic

MODEL = os.environ.get("SDK_MODEL", "claude-sonnet-5-5")
TOOLS = [{"name": "get_weather", "description": "The weather of a place.", "input_schema": {
    "type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}}]


class Counted:
    """A client that counts its requests and keeps the status of each answer."""

    def __init__(self, **options):
        self.statuses, self.headers, self.times, self.answered = [], [], [], threading.Event()
        self.http = anthropic.DefaultHttpxClient(event_hooks={"response": [self.saw]})
        self.client = anthropic.Anthropic(http_client=self.http, **options)

    def saw(self, response):
        self.statuses.append(response.status_code)
        self.headers.append(dict(response.headers))
        self.times.append(time.monotonic())
        self.answered.set()


def ask(text, **more):
    return {"model": MODEL, "max_tokens": 4096, "messages": [{"role": "user", "content": text}], **more}


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def say(**line):
    # NaN and infinity, which a script may have put into the usage, are not JSON: they are told as text.
    print(json.dumps(json.loads(json.dumps(line, default=str), parse_constant=str)), flush=True)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def plain():
    message = anthropic.Anthropic().messages.create(**ask("good morning"))
    check("good morning" in text_of(message), message)
    check(message.usage.input_tokens > 0 and message.usage.output_tokens > 0, message.usage)
    return {"text": text_of(message), "usage": message.usage.to_dict()}


def stream():
    pieces = []
    with anthropic.Anthropic().messages.stream(**ask("good evening to everybody")) as stream:
        for piece in stream.text_stream:
            pieces.append(piece)
        message = stream.get_final_message()
    check(len(pieces) > 1, pieces)
    check("good evening to everybody" in text_of(message) and "".join(pieces) == text_of(message), message)
    return {"pieces": len(pieces), "usage": message.usage.to_dict()}


def tool_loop():
    for streams in (False, True):
        client, messages = anthropic.Anthropic(), [{"role": "user", "content": "[script:tools-parallel]"}]
        calls = turn(client, messages, streams)
        check([c.input for c in calls.content] == [{"location": "Oslo"}, {"location": "Rome"}], calls)
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": f"rain in {call.input['location']}"}
                   for call in calls.content]
        messages += [{"role": "assistant", "content": calls.content}, {"role": "user", "content": results}]
        last = turn(client, messages, streams)
        check("rain in Oslo rain in Rome" in text_of(last) and last.stop_reason == "end_turn", last)
    return {}


def turn(client, messages, streams):
    wanted = {"model": MODEL, "max_tokens": 1024, "messages": messages, "tools": TOOLS}
    if not streams:
        return client.messages.create(**wanted)
    with client.messages.stream(**wanted) as stream:
        return stream.get_final_message()


def abort():
    counted = Counted()
    with counted.client.messages.stream(**ask("[script:long tokens=4000 pace=5ms]")) as stream:
        for number, _ in enumerate(stream.text_stream):
            if number == 2:
                break
    message = counted.client.messages.create(**ask("still there"))
    check("still there" in text_of(message), message)
    check(len(counted.statuses) == 2, counted.statuses)
    return {}


def count_tokens():
    wanted = ask("count these words")
    del wanted["max_tokens"]
    count = anthropic.Anthropic().messages.count_tokens(**wanted)
    check(count.input_tokens > 0, count)
    return {"input_tokens": count.input_tokens}


def models():
    ids = [model.id for model in anthropic.Anthropic().models.list()]
    check(MODEL in ids, ids)
    return {"ids": ids}


def out_of_budget():
    for streams in (False, True):
        counted = Counted()
        error = failure(lambda: turn(counted.client, [{"role": "user", "content": "hello"}], streams))
        check(isinstance(error, anthropic.PaymentRequiredError), repr(error))
        check(error.type == "billing_error" and error.api_message, error.body)
        check(counted.statuses == [402], f"asked {len(counted.statuses)} times")
    return {"error": type(error).__name__, "shown": str(error)}


def budget_ends():
    """The budget ends in mid-stream: what came before it is there, then an error that says why."""
    counted, pieces = Counted(), []

    def read():
        wanted = {**ask("[script:long tokens=100000]"), "max_tokens": 100000}
        with counted.client.messages.stream(**wanted) as stream:
            for piece in stream.text_stream:
                pieces.append(piece)

    error = failure(read)
    check(isinstance(error, anthropic.APIStatusError) and error.type == "billing_error", repr(error))
    check(pieces and counted.statuses == [200], counted.statuses)
    return {"error": type(error).__name__, "pieces": len(pieces), "shown": str(error)}


def unknown_model():
    error = failure(lambda: anthropic.Anthropic().messages.create(**{**ask("hello"), "model": "no-such-model"}))
    check(isinstance(error, (anthropic.BadRequestError, anthropic.NotFoundError)), repr(error))
    return {"error": type(error).__name__, "shown": str(error)}


def wrong_key():
    error = failure(lambda: anthropic.Anthropic(api_key="not-the-key").messages.create(**ask("hello")))
    check(isinstance(error, anthropic.AuthenticationError), repr(error))
    return {"error": type(error).__name__, "shown": str(error)}


def sixth():
    """Five hold the line; the sixth is told when to come back, and is served once they are done."""
    five = [hold() for _ in range(5)]
    for thread, held in five:
        check(held.wait(60), "five calls should be answered at once")
    refused = Counted(max_retries=0)
    error = failure(lambda: refused.client.messages.create(**ask("me too")))
    check(isinstance(error, anthropic.RateLimitError) and error.type == "rate_limit_error", repr(error))
    after = float(refused.headers[0].get("retry-after", "0"))
    check(0 < after <= 60, refused.headers)
    patient, answer = Counted(max_retries=60), []
    waiting = threading.Thread(target=lambda: answer.append(patient.client.messages.create(**ask("me at last"))), daemon=True)
    waiting.start()
    check(patient.answered.wait(60) and patient.statuses[0] == 429, patient.statuses)
    release()
    waiting.join(120)
    check(answer and "me at last" in text_of(answer[0]), patient.statuses)
    check(patient.times[1] - patient.times[0] >= after * 0.9, "it should have waited as long as it was told")
    for thread, _ in five:
        thread.join(60)
        check(not thread.is_alive(), "the five should be done")
    return {"retry_after": after, "shown": str(error)}


def hold():
    held = threading.Event()

    def run():
        with anthropic.Anthropic(max_retries=0).messages.stream(**ask("[script:hang-midstream]")) as stream:
            for _ in stream:
                held.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, held


def release():
    """Whoever drives the scripted provider lets it go on: we ourselves, or the reader of this line."""
    say(case="sixth", waits_for="release")
    control = os.environ.get("SCRIPTED_MESSAGES")
    if control:
        urllib.request.urlopen(urllib.request.Request(f"{control}/_release", method="POST"), timeout=30).read()


def failure(action):
    try:
        answer = action()
    except anthropic.AnthropicError as error:
        return error
    raise AssertionError(f"this should have failed: {answer}")


def script(name):
    beta = name.endswith("+beta")
    name = name.removesuffix("+beta")
    for streams in (True, False):
        client = anthropic.Anthropic(max_retries=0, timeout=60)
        api = client.beta.messages if beta else client.messages
        line = {"script": name, "stream": streams}
        try:
            message = run_script(api, name, streams)
            line |= {"outcome": message.stop_reason, "text": text_of(message), "usage": message.usage.to_dict(),
                     "tools": [[b.name, b.input] for b in message.content if b.type == "tool_use"]}
        except Exception as error:  # What a client makes of nonsense is what we want to know, whatever it is.
            line |= {"outcome": type(error).__name__, "shown": str(error), "type": getattr(error, "type", None)}
        say(**line)


def run_script(api, name, streams):
    wanted = ask(f"[script:{name}]")
    if not streams:
        return api.create(**wanted)
    with api.stream(**wanted) as stream:
        return stream.get_final_message()


CASES = {"plain": plain, "stream": stream, "tool-loop": tool_loop, "abort": abort, "count-tokens": count_tokens,
         "models": models, "out-of-budget": out_of_budget, "budget-ends": budget_ends, "unknown-model": unknown_model,
         "wrong-key": wrong_key, "sixth": sixth}


def main(arguments):
    if arguments[:1] == ["script"]:
        for name in arguments[1:]:
            script(name)
        return 0
    failed = 0
    for name in arguments:
        try:
            say(case=name, ok=True, **CASES[name]())
        except Exception as error:
            failed = 1
            say(case=name, ok=False, why=f"{type(error).__name__}: {error}")
    return failed


sys.exit(main(sys.argv[1:]))
