package org.alignlang.conformance.generated;

import com.palantir.javapoet.JavaFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import javax.tools.DiagnosticCollector;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.JvmBackEnd;
import org.alignlang.kernel.ObjectiveKernel;

/**
 * Generated classes of many objectives, compiled in one run of javac: alone each would take ten
 * times as long.
 */
final class KernelsTogether {
  private final Map<String, byte[]> classes = new HashMap<>();

  private KernelsTogether() {}

  /**
   * The kernels of objectives, in their order.
   *
   * @throws IllegalStateException if a generated class is not Java
   */
  static List<ObjectiveKernel> compile(List<CheckedObjective> objectives) {
    KernelsTogether together = new KernelsTogether();
    List<String> names = new ArrayList<>();
    List<JavaFileObject> sources = new ArrayList<>();
    for (int i = 0; i < objectives.size(); i++) {
      JavaFile file = JvmBackEnd.source(objectives.get(i), "generated.number" + i);
      String name = file.packageName() + "." + file.typeSpec().name();
      names.add(name);
      sources.add(new Source(name, file.toString()));
    }
    together.compileSources(sources);
    ClassLoader loader = together.loader();
    return names.stream().map(name -> instance(loader, name)).toList();
  }

  /**
   * The class files of objectives, by name.
   *
   * @param source the source of an objective, given its number
   */
  static Map<String, byte[]> classFiles(
      List<CheckedObjective> objectives, BiFunction<CheckedObjective, Integer, JavaFile> source) {
    KernelsTogether together = new KernelsTogether();
    List<JavaFileObject> sources = new ArrayList<>();
    for (int i = 0; i < objectives.size(); i++) {
      JavaFile file = source.apply(objectives.get(i), i);
      sources.add(new Source(file.packageName() + "." + file.typeSpec().name(), file.toString()));
    }
    together.compileSources(sources);
    return together.classes;
  }

  private static ObjectiveKernel instance(ClassLoader loader, String name) {
    try {
      return (ObjectiveKernel) loader.loadClass(name).getConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(name + " cannot be used", e);
    }
  }

  private void compileSources(List<JavaFileObject> sources) {
    var compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> findings = new DiagnosticCollector<>();
    try (JavaFileManager manager =
        new Memory(compiler.getStandardFileManager(findings, Locale.ROOT, null))) {
      List<String> options =
          List.of(
              "-proc:none",
              "--add-modules",
              "jdk.incubator.vector",
              "-classpath",
              System.getProperty("java.class.path"));
      if (!compiler.getTask(null, manager, findings, options, null, sources).call()) {
        throw new IllegalStateException(findings.getDiagnostics().toString());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private ClassLoader loader() {
    return new ClassLoader(KernelsTogether.class.getClassLoader()) {
      @Override
      protected Class<?> findClass(String name) throws ClassNotFoundException {
        byte[] bytes = classes.get(name);
        if (bytes == null) {
          throw new ClassNotFoundException(name);
        }
        return defineClass(name, bytes, 0, bytes.length);
      }
    };
  }

  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(String name, String text) {
      super(URI.create("memory:///" + name.replace('.', '/') + ".java"), Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }

  private final class Memory extends ForwardingJavaFileManager<JavaFileManager> {
    Memory(JavaFileManager manager) {
      super(manager);
    }

    @Override
    public JavaFileObject getJavaFileForOutput(
        Location location, String className, JavaFileObject.Kind kind, FileObject sibling) {
      return new SimpleJavaFileObject(URI.create("memory:///class"), kind) {
        @Override
        public OutputStream openOutputStream() {
          return new ByteArrayOutputStream() {
            @Override
            public void close() {
              classes.put(className, toByteArray());
            }
          };
        }
      };
    }
  }
}
