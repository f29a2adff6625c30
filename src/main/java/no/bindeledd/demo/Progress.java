package no.bindeledd.demo;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Shows how far each of a few tasks is, one line each. On a terminal the lines are redrawn in
 * place; elsewhere a task gives one plain line when it ends. Thread-safe.
 */
public final class Progress {
  private static final int BAR = 24;

  private final PrintStream out;
  private final boolean terminal;
  private final List<Task> tasks = new ArrayList<>();
  private int drawn;

  public Progress(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /** On standard error, in place when that is a terminal. */
  public static Progress onStandardError() {
    return new Progress(System.err, standardErrorIsTerminal());
  }

  private static boolean standardErrorIsTerminal() {
    if ("dumb".equals(System.getenv("TERM"))) {
      return false;
    }
    try {
      Path target = Files.readSymbolicLink(Path.of("/proc/self/fd/2"));
      return target.startsWith("/dev/pts") || target.toString().startsWith("/dev/tty");
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Adds a line.
   *
   * @param total how much there is to do; 0 when nobody knows
   */
  public synchronized Task task(String name, long total) {
    Task task = new Task(name, total);
    tasks.add(task);
    draw();
    return task;
  }

  /** One line of the display. */
  public final class Task {
    private final String name;
    private final long total;
    private long done;
    private String result = "";

    private Task(String name, long total) {
      this.name = name;
      this.total = total;
    }

    /** Says how much is done. */
    public void at(long amount) {
      synchronized (Progress.this) {
        boolean visible = step(amount) != step(done);
        done = amount;
        if (visible) {
          draw();
        }
      }
    }

    /** Says that the task is done, and what came of it. */
    public void ended(String outcome) {
      synchronized (Progress.this) {
        done = Math.max(done, total);
        result = outcome.isEmpty() ? "done" : outcome;
        if (terminal) {
          draw();
        } else {
          out.println(name + ": " + result);
        }
      }
    }

    private long step(long amount) {
      return total == 0 ? amount / 100 : amount * 100 / total;
    }

    private String line(int width) {
      StringBuilder line = new StringBuilder(name);
      line.repeat(' ', width - name.length() + 2);
      if (total > 0) {
        int full = (int) Math.min(BAR, done * BAR / total);
        line.append('[').repeat('#', full).repeat('.', BAR - full).append("] ");
      }
      line.append(done);
      if (total > 0) {
        line.append('/').append(total);
      }
      if (!result.isEmpty()) {
        line.append("  ").append(result);
      }
      return line.toString();
    }
  }

  private void draw() {
    if (!terminal) {
      return;
    }
    StringBuilder screen = new StringBuilder();
    if (drawn > 0) {
      screen.append("\u001b[").append(drawn).append('A');
    }
    int width = tasks.stream().mapToInt(t -> t.name.length()).max().orElse(0);
    for (Task task : tasks) {
      screen.append("\r\u001b[2K").append(task.line(width)).append('\n');
    }
    drawn = tasks.size();
    out.print(screen);
    out.flush();
  }
}
