package org.alignlang.runtime.batch;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/** NumPy's archive of arrays: a ZIP file with one {@code NAME.npy} per tensor. */
final class Npz {
  private static final String ENDING = ".npy";

  /** No deflated byte stands for more than this many others (RFC 1951: 258 for 2 bits). */
  private static final long BEST_RATIO = 1032;

  private static final int PART = 1 << 16;

  private Npz() {}

  static Map<String, Tensor> read(Path path) throws IOException {
    long fileSize = Files.size(path);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(path.toFile())) {
      for (ZipEntry entry : (Iterable<ZipEntry>) zip.stream().map(ZipEntry.class::cast)::iterator) {
        if (!entry.getName().endsWith(ENDING)) {
          throw new BatchException(
              "%s: `%s` is not an array: its name does not end in .npy"
                  .formatted(path, entry.getName()));
        }
        String name = entry.getName().substring(0, entry.getName().length() - ENDING.length());
        if (tensors.containsKey(name)) {
          throw bad(path, name, "is there twice");
        }
        tensors.put(name, tensor(path, name, zip, entry, fileSize));
      }
    } catch (ZipException e) {
      throw new BatchException(path + " is not a valid .npz file: " + e.getMessage(), e);
    }
    return tensors;
  }

  private static Tensor tensor(Path path, String name, ZipFile zip, ZipEntry entry, long fileSize)
      throws IOException {
    long size = entry.getSize();
    // Checked before anything is allocated: what a file says of itself costs nothing to write.
    if (entry.getCompressedSize() > fileSize
        || size > BEST_RATIO * (entry.getCompressedSize() + 1)) {
      throw bad(path, name, "would have " + size + " bytes, which this file cannot hold");
    }
    CRC32 sum = new CRC32();
    try (InputStream stream = zip.getInputStream(entry);
        CheckedInputStream in = new CheckedInputStream(stream, sum)) {
      NpyHeader header = NpyHeader.read(path, name, in);
      long needed = header.dataBytes(path, name);
      if (size - header.length() != needed) {
        throw bad(
            path,
            name,
            "has %d bytes of data, and %s of shape %s needs %d"
                .formatted(size - header.length(), header.type().word(), header.shape(), needed));
      }
      MemorySegment data = Tensor.allocate(needed);
      for (long from = 0; from < needed; ) {
        byte[] part = in.readNBytes((int) Math.min(PART, needed - from));
        if (part.length == 0) {
          throw new EOFException();
        }
        MemorySegment.copy(MemorySegment.ofArray(part), 0, data, from, part.length);
        from += part.length;
      }
      if (in.read() >= 0) {
        throw bad(path, name, "has more bytes than the archive's index says");
      }
      if (sum.getValue() != entry.getCrc()) {
        throw bad(path, name, "is damaged: its checksum is wrong");
      }
      return header.arrange(data);
    } catch (EOFException _) {
      throw bad(path, name, "is cut off");
    } catch (ZipException e) {
      throw bad(path, name, "cannot be unpacked: " + e.getMessage());
    }
  }

  /** Stored, not deflated; NumPy has no bfloat16, so that is widened to f32, which is exact. */
  static void write(FileChannel channel, Map<String, Tensor> tensors) throws IOException {
    // Not closed: the channel is its owner's to close.
    OutputStream out = new java.io.BufferedOutputStream(Channels.newOutputStream(channel), PART);
    ZipOutputStream zip = new ZipOutputStream(out);
    zip.setMethod(ZipOutputStream.STORED);
    for (Map.Entry<String, Tensor> named : tensors.entrySet()) {
      Tensor tensor = numpy(named.getValue());
      byte[] header = NpyHeader.of(tensor);
      CRC32 sum = new CRC32();
      sum.update(header);
      Bytes.write(checksumming(sum), tensor.data());
      ZipEntry entry = new ZipEntry(named.getKey() + ENDING);
      entry.setSize(header.length + tensor.data().byteSize());
      entry.setCrc(sum.getValue());
      // The same tensors give the same file.
      entry.setTimeLocal(LocalDateTime.of(1980, 1, 1, 0, 0));
      zip.putNextEntry(entry);
      zip.write(header);
      Bytes.write(Channels.newChannel(zip), tensor.data());
      zip.closeEntry();
    }
    zip.finish();
    out.flush();
  }

  private static Tensor numpy(Tensor tensor) {
    if (tensor.type() != ElementType.BF16) {
      return tensor;
    }
    Tensor wide = Tensor.zeros(ElementType.F32, tensor.shape());
    for (long i = 0; i < tensor.count(); i++) {
      ElementType.F32.write(wide.data(), i, tensor.real(i));
    }
    return wide;
  }

  private static WritableByteChannel checksumming(CRC32 sum) {
    return new WritableByteChannel() {
      @Override
      public int write(ByteBuffer bytes) {
        int count = bytes.remaining();
        sum.update(bytes);
        return count;
      }

      @Override
      public boolean isOpen() {
        return true;
      }

      @Override
      public void close() {}
    };
  }

  static BatchException bad(Path path, String name, String complaint) {
    return new BatchException("%s: tensor `%s`: %s".formatted(path, name, complaint));
  }
}
