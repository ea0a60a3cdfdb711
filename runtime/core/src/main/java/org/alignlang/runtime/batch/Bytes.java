package org.alignlang.runtime.batch;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** Writes all of some bytes. */
final class Bytes {
  private static final long PART = 1 << 20;

  private Bytes() {}

  static void write(WritableByteChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** In parts: a segment may be longer than a buffer can be. */
  static void write(WritableByteChannel channel, MemorySegment data) throws IOException {
    for (long from = 0; from < data.byteSize(); from += PART) {
      byte[] part =
          data.asSlice(from, Math.min(PART, data.byteSize() - from))
              .toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
      write(channel, ByteBuffer.wrap(part));
    }
  }
}
