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
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.alignlang.kernel.ObjectiveKernel;
import org.jspecify.annotations.NullMarked;

/** Compiles generated source with the running JDK's own compiler; nothing touches the disk. */
final class InMemoryCompiler {
  private InMemoryCompiler() {}

  /**
   * Compiles a class and loads it.
   *
   * @param name its binary name
   * @param source its text
   * @param modules modules of the JDK that it needs and that are not there by default
   * @throws IllegalStateException if there is no compiler, or the source is not Java: a defect of
   *     the emitter
   */
  static Class<?> load(String name, String source, String... modules) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    if (compiler == null) {
      throw new IllegalStateException(
          "this Java has no compiler; run Align with a JDK, not with a run-time image without one");
    }
    DiagnosticCollector<JavaFileObject> findings = new DiagnosticCollector<>();
    try (Classes classes =
        new Classes(compiler.getStandardFileManager(findings, Locale.ROOT, null))) {
      boolean done =
          compiler
              .getTask(
                  null,
                  classes,
                  findings,
                  options(modules),
                  null,
                  List.of(new Source(name, source)))
              .call();
      if (!done) {
        throw new IllegalStateException(
            "the generated class " + name + " does not compile: " + describe(findings));
      }
      return new Loader(classes.compiled).loadClass(name);
    } catch (ClassNotFoundException | java.io.IOException e) {
      throw new IllegalStateException("the generated class " + name + " cannot be loaded", e);
    }
  }

  private static List<String> options(String... modules) {
    List<String> options =
        new ArrayList<>(
            // What a module in incubation makes javac warn of is no finding about the source.
            List.of("-proc:none", "-nowarn", "-g:lines,vars", "-classpath", classPath()));
    if (modules.length > 0) {
      options.addAll(List.of("--add-modules", String.join(",", modules)));
    }
    return options;
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
    Set<String> places = new TreeSet<>();
    for (Class<?> type : List.of(ObjectiveKernel.class, NullMarked.class)) {
      CodeSource source = type.getProtectionDomain().getCodeSource();
      if (source == null) {
        throw new IllegalStateException("the place of " + type + " is unknown");
      }
      try {
        places.add(Path.of(source.getLocation().toURI()).toString());
      } catch (URISyntaxException e) {
        throw new IllegalStateException("the place of " + type + " is no path", e);
      }
    }
    return String.join(File.pathSeparator, places);
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
    private final Map<String, ByteArrayOutputStream> compiled;

    Loader(Map<String, ByteArrayOutputStream> compiled) {
      super(ObjectiveKernel.class.getClassLoader());
      this.compiled = compiled;
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
      ByteArrayOutputStream bytes = compiled.get(name);
      if (bytes == null) {
        throw new ClassNotFoundException(name);
      }
      return defineClass(name, bytes.toByteArray(), 0, bytes.size());
    }
  }
}
