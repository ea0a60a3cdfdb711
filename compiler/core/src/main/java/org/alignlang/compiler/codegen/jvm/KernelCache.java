package org.alignlang.compiler.codegen.jvm;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.alignlang.kernel.AlignVersion;

/**
 * Compiled kernels on disk, by what they were compiled from: the whole generated source, the
 * options of the compiler, the Java that compiled it, and the program that it links to.
 *
 * <p>A stored kernel is code that will be run. It is sealed with a secret of the user's that is
 * kept outside the folder ({@code HMAC-SHA-256}, RFC 2104, over the name and the content), and what
 * does not match its seal is compiled anew; so is everything in a folder that others can write to.
 * Files are written beside and moved, so that concurrent programs see whole ones. Nothing here ever
 * fails a compilation: what cannot be read or written is simply not kept.
 *
 * @param folder where kernels are kept
 * @param secret the secret that seals them
 * @param program what tells this program from any other build of it
 */
public record KernelCache(Path folder, byte[] secret, String program) {
  private static final int FORMAT = 1;
  private static final int SEAL_BYTES = 32;
  private static final int MOST_BYTES = 16 << 20;
  private static final int MOST_KERNELS = 500;
  private static final String SUFFIX = ".kernel";
  private static final Set<PosixFilePermission> FOREIGN =
      PosixFilePermissions.fromString("---rwxrwx");
  private static final Duration ABANDONED = Duration.ofMinutes(10);

  public KernelCache {
    secret = secret.clone();
  }

  /**
   * The cache of this user, as the environment says: {@code ALIGN_CACHE} is its folder, or {@code
   * off}; without it, it lies where the system keeps caches.
   *
   * @param environment the environment variables
   * @param home the user's folder
   * @param program the file that this program was started from
   */
  public static Optional<KernelCache> ofUser(
      Map<String, String> environment, Path home, Path program) {
    String wanted = environment.getOrDefault("ALIGN_CACHE", "");
    if (wanted.equalsIgnoreCase("off") || !Files.isRegularFile(program)) {
      return Optional.empty();
    }
    try {
      Path folder =
          wanted.isEmpty()
              ? place(environment, "XDG_CACHE_HOME", home.resolve(".cache")).resolve("align")
              : Path.of(wanted).toAbsolutePath();
      Path settings =
          place(environment, "XDG_CONFIG_HOME", home.resolve(".config")).resolve("align");
      createPrivate(folder.resolve("kernels"));
      if (!isPrivate(folder.resolve("kernels"))) {
        return Optional.empty();
      }
      return secret(settings)
          .map(secret -> new KernelCache(folder.resolve("kernels"), secret, identity(program)));
    } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static Path place(Map<String, String> environment, String name, Path standard) {
    Path given = Path.of(environment.getOrDefault(name, ""));
    // Relative ones are to be ignored: XDG Base Directory Specification.
    return given.isAbsolute() ? given : standard;
  }

  /** A program is rebuilt with another time; its size and time are as good as its content here. */
  private static String identity(Path program) {
    try {
      return Files.size(program) + " " + Files.getLastModifiedTime(program).toInstant();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void createPrivate(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      if (isPosix(folder)) {
        Files.createDirectories(
            folder,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      } else {
        Files.createDirectories(folder);
      }
    }
  }

  private static boolean isPosix(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("posix");
  }

  /** Whether only its owner can write to a folder, as far as the file system can tell. */
  private static boolean isPrivate(Path folder) throws IOException {
    if (!isPosix(folder)) {
      return true;
    }
    Set<PosixFilePermission> granted = Files.getPosixFilePermissions(folder);
    return !granted.contains(PosixFilePermission.GROUP_WRITE)
        && !granted.contains(PosixFilePermission.OTHERS_WRITE);
  }

  /** The user's secret, made when it is first needed; empty if it cannot be had now. */
  private static Optional<byte[]> secret(Path folder) throws IOException {
    Path file = folder.resolve("kernel-cache.secret");
    if (Files.exists(file)) {
      if (isPosix(file)
          && Files.getPosixFilePermissions(file).stream().anyMatch(FOREIGN::contains)) {
        return Optional.empty();
      }
      byte[] known = Files.readAllBytes(file);
      if (known.length == SEAL_BYTES) {
        return Optional.of(known);
      }
      // Half-written: by a program that is about to finish, or by one that was killed long ago.
      if (isYounger(file, ABANDONED)) {
        return Optional.empty();
      }
      Files.delete(file);
    }
    createPrivate(folder);
    byte[] made = new byte[SEAL_BYTES];
    new SecureRandom().nextBytes(made);
    try {
      if (isPosix(file)) {
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.write(file, made, StandardOpenOption.WRITE);
      } else {
        Files.write(file, made, StandardOpenOption.CREATE_NEW);
      }
    } catch (FileAlreadyExistsException e) {
      // Another program was faster.
      return Optional.empty();
    }
    return Optional.of(made);
  }

  private static boolean isYounger(Path file, Duration age) throws IOException {
    return Files.getLastModifiedTime(file).toInstant().isAfter(Instant.now().minus(age));
  }

  /** The name under which the classes of a source are kept. */
  String key(String name, String source, List<String> options) {
    MessageDigest digest = sha256();
    List<String> parts = new ArrayList<>();
    parts.add("align kernel " + FORMAT);
    parts.add(AlignVersion.current());
    parts.add(program);
    parts.add(System.getProperty("java.vm.vendor", "") + " " + Runtime.version());
    parts.add(name);
    parts.add(source);
    parts.addAll(options);
    for (String part : parts) {
      byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
      // The length keeps one part from being taken for the beginning of the next.
      digest.update((bytes.length + ":").getBytes(StandardCharsets.US_ASCII));
      digest.update(bytes);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** The classes by binary name that were kept under a key, if they are there and unaltered. */
  Optional<Map<String, byte[]>> find(String key) {
    Path file = folder.resolve(key + SUFFIX);
    try {
      if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) > MOST_BYTES) {
        return Optional.empty();
      }
      byte[] all = Files.readAllBytes(file);
      if (all.length < SEAL_BYTES) {
        return Optional.empty();
      }
      byte[] content = Arrays.copyOfRange(all, SEAL_BYTES, all.length);
      byte[] seal = Arrays.copyOf(all, SEAL_BYTES);
      if (!MessageDigest.isEqual(seal, seal(key, content))) {
        return Optional.empty();
      }
      if (!isYounger(file, Duration.ofDays(1))) {
        // What is used is not old.
        Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
      }
      return Optional.of(read(content));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Keeps classes under a key. */
  void keep(String key, Map<String, byte[]> classes) {
    try {
      byte[] content = written(classes);
      if (content.length + SEAL_BYTES > MOST_BYTES) {
        return;
      }
      Path unfinished = Files.createTempFile(folder, "unfinished-", "");
      try {
        try (var out = Files.newOutputStream(unfinished)) {
          out.write(seal(key, content));
          out.write(content);
        }
        Files.move(unfinished, folder.resolve(key + SUFFIX), StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(unfinished);
      }
      prune();
    } catch (IOException e) {
      // A full disk, or a folder that is gone: the kernel was compiled and can be used.
      return;
    }
  }

  private static byte[] written(Map<String, byte[]> classes) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeInt(classes.size());
    for (Map.Entry<String, byte[]> type : classes.entrySet()) {
      out.writeUTF(type.getKey());
      out.writeInt(type.getValue().length);
      out.write(type.getValue());
    }
    return bytes.toByteArray();
  }

  private static Map<String, byte[]> read(byte[] content) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(content));
    Map<String, byte[]> classes = new LinkedHashMap<>();
    for (int count = in.readInt(); count > 0; count--) {
      String name = in.readUTF();
      classes.put(name, in.readNBytes(in.readInt()));
    }
    return classes;
  }

  private byte[] seal(String key, byte[] content) {
    byte[] inner = new byte[64];
    byte[] outer = new byte[64];
    for (int i = 0; i < inner.length; i++) {
      byte secretByte = i < secret.length ? secret[i] : 0;
      inner[i] = (byte) (secretByte ^ 0x36);
      outer[i] = (byte) (secretByte ^ 0x5c);
    }
    MessageDigest digest = sha256();
    digest.update(inner);
    digest.update(key.getBytes(StandardCharsets.US_ASCII));
    byte[] hash = digest.digest(content);
    digest.update(outer);
    return digest.digest(hash);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Deletes the half that was not used for longest once there are too many, and what was left. */
  private void prune() throws IOException {
    record Kept(Path file, FileTime time) {}

    List<Kept> kernels = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        String name = String.valueOf(file.getFileName());
        if (name.startsWith("unfinished-") && !isYounger(file, ABANDONED)) {
          Files.deleteIfExists(file);
        } else if (name.endsWith(SUFFIX)) {
          kernels.add(new Kept(file, Files.getLastModifiedTime(file)));
        }
      }
    }
    if (kernels.size() > MOST_KERNELS) {
      kernels.sort(Comparator.comparing(Kept::time));
      for (Kept kept : kernels.subList(0, kernels.size() - MOST_KERNELS / 2)) {
        Files.deleteIfExists(kept.file());
      }
    }
  }
}
