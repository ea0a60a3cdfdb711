package org.alignlang.compiler.codegen.jvm;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.alignlang.kernel.ObjectiveKernel;
import org.jspecify.annotations.NullMarked;

/**
 * Compiles generated source with the running JDK's own compiler; nothing touches the disk, unless
 * this program keeps kernels from one start to the next.
 */
public final class InMemoryCompiler {
  /** What a module in incubation makes javac warn of is no finding about the source. */
  private static final List<String> OPTIONS = List.of("-proc:none", "-nowarn", "-g:lines,vars");

  private static volatile boolean keeps;

  private InMemoryCompiler() {}

  /**
   * From now on, compiled kernels are kept in the user's cache, and found again by what they were
   * compiled from. Only the command line asks for this: a library does not write to its user's
   * home.
   */
  public static void keepKernels() {
    keeps = true;
  }

  /** Opened by the first kernel: most commands have none. */
  private static final class Kept {
    static final Optional<KernelCache> KERNELS =
        KernelCache.ofUser(
            System.getenv(),
            Path.of(System.getProperty("user.home", "")),
            place(ObjectiveKernel.class));
  }

  /**
   * Compiles a class, or finds it compiled, and loads it.
   *
   * @param name its binary name
   * @param source its text
   * @param modules modules of the JDK that it needs and that are not there by default
   * @throws IllegalStateException if there is no compiler, or the source is not Java: a defect of
   *     the emitter
   */
  public static Class<?> load(String name, String source, String... modules) {
    return load(name, source, keeps ? Kept.KERNELS : Optional.empty(), modules);
  }

  public static Class<?> load(
      String name, String source, Optional<KernelCache> cache, String... modules) {
    List<String> options = options(modules);
    Map<String, byte[]> classes =
        cache
            .map(kernels -> {
              String key = kernels.key(name, source, options);
              return kernels
                  .find(key)
                  .orElseGet(() -> {
                    Map<String, byte[]> compiled = compile(name, source, options);
                    kernels.keep(key, compiled);
                    return compiled;
                  });
            })
            .orElseGet(() -> compile(name, source, options));
    try {
      return new Loader(classes).loadClass(name);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException("the generated class " + name + " cannot be loaded", e);
    }
  }

  /** The compiler's view of the class path and of the JDK, which takes long to open. */
  private static final class Shared {
    static final StandardJavaFileManager FILES =
        compiler().getStandardFileManager(null, Locale.ROOT, null);
  }

  private static JavaCompiler compiler() {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    if (compiler == null) {
      throw new IllegalStateException(
          "this Java has no compiler; run Align with a JDK, not with a run-time image without one");
    }
    return compiler;
  }

  private static List<String> options(String... modules) {
    List<String> options = new ArrayList<>(OPTIONS);
    if (modules.length > 0) {
      options.addAll(List.of("--add-modules", String.join(",", modules)));
    }
    return options;
  }

  private static Map<String, byte[]> compile(String name, String source, List<String> options) {
    return compile(name, source, options, classPath());
  }

  /**
   * Compiles a class for whoever loads it in a way of his own.
   *
   * @param name its binary name
   * @param source its text
   * @param places where further classes are that it refers to
   * @return the bytes of its classes, by binary name
   * @throws IllegalStateException if there is no compiler, or the source is not Java
   */
  public static Map<String, byte[]> classes(String name, String source, List<Path> places) {
    List<String> all = new ArrayList<>(List.of(classPath()));
    places.forEach(place -> all.add(place.toString()));
    return compile(name, source, OPTIONS, String.join(File.pathSeparator, all));
  }

  private static Map<String, byte[]> compile(
      String name, String source, List<String> options, String classPath) {
    JavaCompiler compiler = compiler();
    DiagnosticCollector<JavaFileObject> findings = new DiagnosticCollector<>();
    List<String> all = new ArrayList<>(options);
    all.addAll(List.of("-classpath", classPath));
    // One compilation at a time: a file manager serves one, and they compete for the same cores.
    synchronized (InMemoryCompiler.class) {
      Classes classes = new Classes(Shared.FILES);
      boolean done =
          compiler
              .getTask(null, classes, findings, all, null, List.of(new Source(name, source)))
              .call();
      if (!done) {
        throw new IllegalStateException(
            "the generated class " + name + " does not compile: " + describe(findings));
      }
      Map<String, byte[]> compiled = new TreeMap<>();
      classes.compiled.forEach((type, bytes) -> compiled.put(type, bytes.toByteArray()));
      return compiled;
    }
  }

  private static String describe(DiagnosticCollector<JavaFileObject> findings) {
    return findings.getDiagnostics().stream()
        .filter(d -> d.getKind() == Diagnostic.Kind.ERROR)
        .limit(5)
        .map(d -> "line " + d.getLineNumber() + ": " + d.getMessage(Locale.ROOT))
        .toList()
        .toString();
  }

  /** Where the classes are that generated code refers to, however this program was started. */
  private static String classPath() {
    Set<String> places = new LinkedHashSet<>();
    for (Class<?> type : List.of(ObjectiveKernel.class, NullMarked.class)) {
      places.add(place(type).toString());
    }
    return String.join(File.pathSeparator, places);
  }

  /** The jar or folder that a class comes from. */
  public static Path place(Class<?> type) {
    CodeSource source = type.getProtectionDomain().getCodeSource();
    if (source == null) {
      throw new IllegalStateException("the place of " + type + " is unknown");
    }
    try {
      return Path.of(source.getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException("the place of " + type + " is no path", e);
    }
  }

  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(String name, String text) {
      super(
          URI.create(
              "memory:///"
                  + java.net.URLEncoder.encode(
                      name.substring(name.lastIndexOf('.') + 1),
                      java.nio.charset.StandardCharsets.UTF_8)
                  + Kind.SOURCE.extension),
          Kind.SOURCE);
      this.text = text;
    }

    @Override
    public boolean isNameCompatible(String simpleName, Kind kind) {
      return kind == Kind.SOURCE;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }

  /** Keeps compiled classes in memory. */
  private static final class Classes extends ForwardingJavaFileManager<JavaFileManager> {
    private final Map<String, ByteArrayOutputStream> compiled = new HashMap<>();

    Classes(JavaFileManager manager) {
      super(manager);
    }

    @Override
    public JavaFileObject getJavaFileForOutput(
        Location location, String className, JavaFileObject.Kind kind, FileObject sibling) {
      return new SimpleJavaFileObject(URI.create("memory:///class"), kind) {
        @Override
        public OutputStream openOutputStream() {
          ByteArrayOutputStream bytes = new ByteArrayOutputStream();
          compiled.put(className, bytes);
          return bytes;
        }
      };
    }
  }

  private static final class Loader extends ClassLoader {
    private final Map<String, byte[]> compiled;

    Loader(Map<String, byte[]> compiled) {
      super(ObjectiveKernel.class.getClassLoader());
      this.compiled = compiled;
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
      byte[] bytes = compiled.get(name);
      if (bytes == null) {
        throw new ClassNotFoundException(name);
      }
      return defineClass(name, bytes, 0, bytes.length);
    }
  }
}
