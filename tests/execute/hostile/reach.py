"""One program per language that tries to get out: to a secret, to a public folder, to a server, and out of its time.

Each prints TRIED, then BROKE for what worked, and starts a process that would stay.
"""

REACH = {
    "python": """
import socket, subprocess
print("TRIED", flush=True)
subprocess.Popen(["sh", "-c", "sleep 60; : @MARKER@"], start_new_session=True)
for attack in (
    lambda: open("@SECRET@").read(),
    lambda: open("@PUBLIC@/file", "w"),
    lambda: socket.create_connection(("127.0.0.1", @TCP@)),
):
    try:
        attack()
        print("BROKE")
    except OSError:
        pass
""",
    "bash": """
echo TRIED
setsid sh -c 'sleep 60; : @MARKER@' > /dev/null 2>&1 &
cat @SECRET@ 2> /dev/null && echo BROKE
(echo changed > @PUBLIC@/file) 2> /dev/null && echo BROKE
(exec 3<> /dev/tcp/127.0.0.1/@TCP@) 2> /dev/null && echo BROKE
true
""",
    "ruby": """
require "socket"
puts "TRIED"
$stdout.flush
spawn("sh", "-c", "sleep 60; : @MARKER@", pgroup: true)
[
  -> { File.read("@SECRET@") },
  -> { File.write("@PUBLIC@/file", "changed") },
  -> { TCPSocket.new("127.0.0.1", @TCP@) }
].each do |attack|
  attack.call
  puts "BROKE"
rescue SystemCallError
end
""",
    "javascript": """
const fs = require("fs")
const child = require("child_process")
console.log("TRIED")
child.spawn("sh", ["-c", "sleep 60; : @MARKER@"], { detached: true, stdio: "ignore" }).unref()
for (const attack of [() => fs.readFileSync("@SECRET@"), () => fs.writeFileSync("@PUBLIC@/file", "changed")]) {
  try {
    attack()
    console.log("BROKE")
  } catch {}
}
require("net").connect(@TCP@, "127.0.0.1").on("connect", () => console.log("BROKE")).on("error", () => {})
""",
    "c": """
#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    puts("TRIED");
    fflush(stdout);
    if (fork() == 0) {
        setsid();
        execlp("sh", "sh", "-c", "sleep 60; : @MARKER@", (char *)0);
    }
    if (fopen("@SECRET@", "r")) puts("BROKE secret");
    if (fopen("@PUBLIC@/file", "w")) puts("BROKE file");
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(@TCP@)};
    inet_pton(AF_INET, "127.0.0.1", &place.sin_addr);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (server >= 0 && connect(server, (struct sockaddr *)&place, sizeof place) == 0) puts("BROKE server");
    return 0;
}
""",
    "java": """
import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.util.concurrent.Callable;

class Main {
    static void attack(Callable<Object> attack) {
        try {
            attack.call();
            System.out.println("BROKE");
        } catch (Exception expected) {
        }
    }

    public static void main(String[] args) throws Exception {
        System.out.println("TRIED");
        new ProcessBuilder("sh", "-c", "sleep 60; : @MARKER@").start();
        attack(() -> Files.readString(Path.of("@SECRET@")));
        attack(() -> Files.writeString(Path.of("@PUBLIC@/file"), "changed"));
        attack(() -> new Socket("127.0.0.1", @TCP@));
    }
}
""",
    "go": """
package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
)

func main() {
	fmt.Println("TRIED")
	exec.Command("sh", "-c", "sleep 60; : @MARKER@").Start()
	if _, err := os.ReadFile("@SECRET@"); err == nil {
		fmt.Println("BROKE secret")
	}
	if os.WriteFile("@PUBLIC@/file", nil, 0o666) == nil {
		fmt.Println("BROKE file")
	}
	if _, err := net.Dial("tcp", "127.0.0.1:@TCP@"); err == nil {
		fmt.Println("BROKE server")
	}
}
""",
    "elixir": """
IO.puts("TRIED")
Port.open({:spawn, "sh -c 'sleep 60; : @MARKER@'"}, [])
attacks = [
  fn -> File.read("@SECRET@") end,
  fn -> File.write("@PUBLIC@/file", "changed") end,
  fn -> :gen_tcp.connect({127, 0, 0, 1}, @TCP@, []) end
]
for attack <- attacks do
  case attack.() do
    {:error, _} -> nil
    _ -> IO.puts("BROKE")
  end
end
""",
}

FORGED = {
    "python": """
import os, sys, atexit
sys.excepthook = lambda *_: os._exit(0)
atexit.register(os._exit, 0)
def double(n):
    return n * n
""",
    "bash": """
trap 'exit 0' EXIT ERR
double() {
  echo $(($1 * $1))
}
""",
    "ruby": """
at_exit { exit!(0) }
def double(n)
  n * n
end
""",
    "perl": """
use POSIX ();
$SIG{__DIE__} = sub { POSIX::_exit(0) };
sub double { return $_[0] * $_[0] }
END { $? = 0 }
""",
    "php": """<?php
set_exception_handler(fn($error) => exit(0));
register_shutdown_function(fn() => exit(0));
function double($n) {
    return $n * $n;
}
""",
    "lua": """
local exit = os.exit
error = function() exit(0) end
function double(n)
  return n * n
end
""",
    "javascript": """
process.on('exit', () => process.reallyExit(0))
process.on('uncaughtException', () => process.exit(0))
Object.prototype.exitCode = 0
console.log = () => {}
const double = (n) => n * n
""",
    "c": """
#include <signal.h>
#include <unistd.h>
static void leave(int number) { _exit(0); }
__attribute__((constructor)) static void hook(void) { signal(SIGABRT, leave); }
int twice(int n) { return n * n; }
""",
    "cpp": """
#include <csignal>
#include <unistd.h>
static void leave(int) { _exit(0); }
static auto hook = std::signal(SIGABRT, leave);
int twice(int n) { return n * n; }
""",
    "java": """
class Probe {
    static {
        Thread.setDefaultUncaughtExceptionHandler((thread, error) -> Runtime.getRuntime().halt(0));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0)));
    }
    static int twice(int n) { return n * n; }
}
""",
    "rust": """
fn twice(n: i32) -> i32 {
    std::panic::set_hook(Box::new(|_| std::process::exit(0)));
    n * n
}
""",
    "elixir": """
System.at_exit(fn _ -> System.halt(0) end)
defmodule Probe do
  def twice(n), do: n * n
end
""",
}
"""Wrong programs that make a failure look like an end in peace; the tests are those of the language's probes."""

SEARCHING = r"""
import os, re, sys
texts = [*sys.argv, *map(str, os.environ.items()), *map(str, vars(sys.modules["__main__"]).values())]
for number in range(256):
    try:
        if number > 2 and (text := os.read(number, 1 << 16)):
            texts.append(text.decode(errors="replace"))
    except OSError:
        pass
for path in ("/proc/self/cmdline", "/proc/self/environ", f"/proc/{os.getppid()}/cmdline", "/proc/1/cmdline"):
    try:
        texts.append(open(path).read())
    except OSError:
        pass
if found := re.search("[0-9a-f]{32}", "\n".join(texts)):
    os.write(1, b"\n" + found[0].encode() + b"\n")
os._exit(0)
"""
"""Looks for the mark where nobody should have put it."""

IN_ITS_OWN_PROCESS = {
    "reads its own file": r"""
import os, re
os.write(1, b"\n" + re.findall("[0-9a-f]{32}", open(__file__).read())[-1].encode() + b"\n")
os._exit(0)
""",
    "returns an object that equals everything": """
class Anything(int):
    __hash__ = int.__hash__
    def __eq__(self, other):
        return True
def double(n):
    return Anything()
""",
}
"""Wrong programs that pass in any sandbox, by the words of SECURITY.md."""
