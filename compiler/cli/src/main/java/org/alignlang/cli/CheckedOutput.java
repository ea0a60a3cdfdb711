package org.alignlang.cli;

import java.io.IOException;
import java.io.OutputStream;

/**
 * A stream whose failures are not lost on the way: a {@link java.io.PrintWriter} would swallow an
 * {@link IOException} and let the command work on for nobody.
 */
final class CheckedOutput extends OutputStream {
  private final OutputStream stream;

  CheckedOutput(OutputStream stream) {
    this.stream = stream;
  }

  /** Output cannot be written. */
  static final class Failed extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final boolean closed;

    Failed(IOException cause) {
      super(String.valueOf(cause.getMessage()), cause);
      // Java has no error codes for this; the texts are those of Linux, macOS and Windows.
      String text = String.valueOf(cause.getMessage());
      this.closed =
          text.contains("Broken pipe")
              || text.contains("pipe is being closed")
              || text.contains("Stream Closed");
    }

    /** Whether the reader went away, which is no error of anybody. */
    boolean closed() {
      return closed;
    }
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    try {
      stream.write(bytes, offset, length);
    } catch (IOException e) {
      throw new Failed(e);
    }
  }

  @Override
  public void flush() {
    try {
      stream.flush();
    } catch (IOException e) {
      throw new Failed(e);
    }
  }
}
