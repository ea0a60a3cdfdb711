package org.alignlang.cli.run;

/**
 * Turns Ctrl-C and a request to end into an interrupt of the thread that runs an experiment, and
 * gives it time to save its state.
 */
final class Interruption implements AutoCloseable {
  private static final long PATIENCE_MILLIS = 60_000;

  private final Thread hook;

  private Interruption(Thread hook) {
    this.hook = hook;
  }

  /** Watches over the calling thread until it is closed. */
  static Interruption watch() {
    Thread worker = Thread.currentThread();
    Thread hook =
        new Thread(
            () -> {
              worker.interrupt();
              try {
                // The worker ends the process itself when it has saved what it must.
                worker.join(PATIENCE_MILLIS);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "align-interruption");
    Runtime.getRuntime().addShutdownHook(hook);
    return new Interruption(hook);
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending already.
    }
  }
}
