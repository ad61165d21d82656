"""Programs as the host starts them."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import grpc
import pytest
from bertopic_sdk._launch import install
from bertopic_sdk._proto import embedder_pb2 as pb

PROGRAMS = str(pathlib.Path(__file__).with_name("programs.py"))
COOKIE = {"BERTOPIC_EMBEDDER_COOKIE": "6c1f0a5e4c0d4f6cb4d1a19e52ef7d0b8f3a72c9"}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return install(PROGRAMS, str(tmp_path_factory.mktemp("plugins with a space")))


class Host:
    def __init__(self, program, folder, **environment):
        env = {"PATH": os.environ["PATH"], "PLUGIN_UNIX_SOCKET_DIR": str(folder), "PLUGIN_PROTOCOL_VERSIONS": "1", **COOKIE, **environment}
        self.log = open(os.path.join(folder, "stderr"), "w+")
        self.process = subprocess.Popen([program], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.handshake = self.process.stdout.readline()
        self.channel = grpc.insecure_channel("unix:" + self.handshake.split("|")[3])

    def unary(self, method, request, response, timeout=20):
        call = self.channel.unary_unary(method, lambda m: m if isinstance(m, bytes) else m.SerializeToString(), response)
        return call(request, timeout=timeout)

    def configure(self, **options):
        request = pb.ConfigureRequest(options_json=json.dumps(options).encode())
        return self.unary("/bertopic.embedder.v1.Embedder/Configure", request, pb.ConfigureResponse.FromString)

    def embed(self, *texts):
        call = self.channel.stream_stream("/bertopic.embedder.v1.Embedder/Embed", lambda m: m.SerializeToString(), pb.EmbedResponse.FromString)
        return call(iter([pb.EmbedRequest(sequence=3, rows=[pb.Row(text=t) for t in texts])]))

    def shutdown(self):
        start = time.monotonic()
        self.unary("/plugin.GRPCController/Shutdown", b"", bytes, 2)
        code = self.process.wait(5)
        return code, time.monotonic() - start

    def stderr(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text()


@pytest.fixture
def host(program, tmp_path):
    hosts = []

    def start(**environment):
        hosts.append(Host(program, tmp_path, **environment))
        return hosts[-1]

    yield start
    for h in hosts:
        h.channel.close()
        with contextlib.suppress(ProcessLookupError):
            h.process.kill()
        h.process.wait()
        h.process.stdin.close()
        h.process.stdout.close()
        h.log.close()


def test_life(host, tmp_path):
    h = host()
    assert h.handshake == f"1|1|unix|{tmp_path}/plugin{h.process.pid}|grpc|\n"
    assert "a library that greets while it loads" in h.stderr()
    assert h.unary("/grpc.health.v1.Health/Check", b"\x0a\x06plugin", bytes) == b"\x08\x01"
    with pytest.raises(grpc.RpcError) as e:
        h.unary("/grpc.health.v1.Health/Check", b"\x0a\x05other", bytes)
    assert e.value.code() == grpc.StatusCode.NOT_FOUND
    assert h.configure(fault="noise", folder=str(tmp_path)).info.dimension == 8
    for _ in range(3):
        (answer,) = h.embed("abc", "", "bad")
    assert answer.sequence == 3 and len(answer.vectors.dense.data) == 3 * 8 * 4
    assert [(s.row, s.status, s.reason) for s in answer.vectors.statuses] == [(1, 1, ""), (2, 4, "a bad row")]
    assert h.stderr().count("x" * 100_000) == 3
    code, seconds = h.shutdown()
    assert code == 0 and seconds < 1.5
    assert (tmp_path / "closed").exists()
    assert h.process.stdout.read() == ""  # after the handshake nothing
    assert not list(tmp_path.glob("plugin*"))


def test_shutdown_during_a_call_that_hangs(host, tmp_path):
    h = host()
    h.configure(fault="hang", folder=str(tmp_path))
    h.embed("a")
    time.sleep(0.3)
    code, seconds = h.shutdown()
    assert code == 0 and seconds < 2
    assert (tmp_path / "closed").exists()


def test_cancellation_is_answered_while_the_embedder_hangs(host):
    h = host()
    h.configure(fault="hang")
    call = h.embed("a")
    time.sleep(0.3)
    start = time.monotonic()
    call.cancel()
    with pytest.raises(grpc.RpcError):
        list(call)
    assert time.monotonic() - start < 1
    assert h.unary("/grpc.health.v1.Health/Check", b"\x0a\x06plugin", bytes) == b"\x08\x01"


def test_interrupt_is_ignored_and_terminate_is_not(host):
    h = host()
    os.kill(h.process.pid, signal.SIGINT)
    h.configure()
    assert len(list(h.embed("abc"))) == 1
    os.kill(h.process.pid, signal.SIGTERM)
    assert h.process.wait(3) == 0


def test_it_dies_with_its_parent(program, tmp_path):
    # A host that starts the program, says its process id and is killed.
    script = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.argv[1]], stdout=subprocess.PIPE)\n"
        "p.stdout.readline()\nprint(p.pid, flush=True)\ntime.sleep(60)\n"
    )
    env = {"PATH": os.environ["PATH"], "PLUGIN_UNIX_SOCKET_DIR": str(tmp_path), **COOKIE}
    with subprocess.Popen([sys.executable, "-c", script, program], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        for _ in range(30):
            if not alive(pid):
                return
            time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the program outlived its parent by 3 s")


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:  # a zombie that nobody waits for is dead
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        if os.path.isdir("/proc/self"):
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_refusal(host):
    r = host().configure(fault="refuse")
    assert not r.HasField("info")
    assert [(d.severity, d.summary, d.detail, d.option) for d in r.diagnostics] == [
        (pb.SEVERITY_WARNING, "first a warning", "", "fault"),
        (pb.SEVERITY_ERROR, "no such model", "look elsewhere", "fault"),
    ]


def test_the_log_is_json(host):
    h = host(BERTOPIC_LOG_PLUGIN_LETTERS="debug")
    with pytest.raises(grpc.RpcError):
        h.configure(fault="none", nonsense=1)
    h.configure(fault="\ud83d".encode("utf-8", "replace").decode())
    h.process.stdin.close()
    lines = [json.loads(line) for line in h.stderr().splitlines() if line.startswith("{")]
    assert all({"@level", "@message", "@timestamp"} <= set(line) for line in lines)


def run(program, *args, **environment):
    return subprocess.run([program, *args], env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True, timeout=30)


def test_describe(program):
    r = run(program, "--describe")
    assert r.returncode == 0
    d = json.loads(r.stdout)
    assert d["protocols"] == [1] and d["name"] == "letters" and d["modalities"] == ["text"] and d["environment"] == ["LETTERS_KEY"]
    assert d["options"][0] == {"name": "fault", "type": "string", "default": "none", "help": "what goes wrong"}


def test_by_hand(program):
    r = run(program)
    assert r.returncode == 1 and r.stdout == "" and "letters 1.2.3: counts of bytes" in r.stderr
    r = run(program, "--help")
    assert r.returncode == 0 and "--describe" in r.stdout


def test_debug(program):
    with subprocess.Popen([program, "--debug"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        line = p.stdout.readline()
        name, _, value = line.strip().partition("=")
        assert name == "BERTOPIC_REATTACH_PLUGINS"
        attach = json.loads(value.strip("'"))["letters"]
        assert attach["Pid"] == p.pid
        address = attach["Addr"]["String"]
        with grpc.insecure_channel("unix:" + address) as channel:
            answer = channel.unary_unary(
                "/bertopic.embedder.v1.Embedder/Describe", pb.DescribeRequest.SerializeToString, pb.DescribeResponse.FromString
            )(pb.DescribeRequest(), timeout=10)
            assert answer.name == "letters"
        p.send_signal(signal.SIGINT)
        assert p.wait(5) == 0
    assert not os.path.exists(address)


def test_install_says_what_is_wrong(tmp_path):
    (tmp_path / "none.py").write_text("")
    with pytest.raises(SystemExit, match="defines 0 embedders"):
        install(str(tmp_path / "none.py"), str(tmp_path))
    with pytest.raises(SystemExit, match="there is no file"):
        install(str(tmp_path / "nowhere.py"), str(tmp_path))
    with pytest.raises(SystemExit, match="has no embedder class Nothing"):
        install(PROGRAMS + ":Nothing", str(tmp_path))
