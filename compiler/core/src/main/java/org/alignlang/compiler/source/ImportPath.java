package org.alignlang.compiler.source;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Where imports by path are looked for: the folder of the spec first, then other folders and jars,
 * in their order.
 *
 * <p>A jar, or a folder of classes, holds specs if it has a file {@code META-INF/align/manifest},
 * which lists them, one path a line; the spec {@code a/b.align} is its entry {@code
 * META-INF/align/a/b.align}. Any other folder holds specs as they lie in it.
 *
 * @param first the folder of the spec
 * @param places the other places
 */
public record ImportPath(SourceResolver first, List<Place> places) implements SourceResolver {
  /** The folder of jars in which specs lie. */
  public static final String FOLDER = "META-INF/align/";

  private static final String MANIFEST = FOLDER + "manifest";

  /**
   * A folder or a jar.
   *
   * @param path where it is
   * @param shown what stands before the names of its specs in messages
   */
  public record Place(Path path, String shown) {}

  public ImportPath {
    places = List.copyOf(places);
  }

  /**
   * The places that a text lists, separated as in a class path; those that do not exist are left
   * out.
   *
   * @param portable whether names tell nothing of where the places are on this machine
   */
  public static List<Place> places(String text, boolean portable) {
    List<Place> places = new ArrayList<>();
    for (String name : text.split(File.pathSeparator)) {
      Path path;
      try {
        path = Path.of(name);
      } catch (InvalidPathException e) {
        continue;
      }
      if (!name.isBlank() && Files.exists(path)) {
        boolean jar = Files.isRegularFile(path);
        Path last = path.getFileName();
        String entry = jar && last != null ? last + "!/" : "";
        String whole = path.toString().replace('\\', '/') + (jar ? "!/" : "/");
        places.add(new Place(path, portable ? entry : whole));
      }
    }
    return places;
  }

  @Override
  public SourceFile resolve(String path) {
    UnreadableSourceException problem;
    try {
      return first.resolve(path);
    } catch (UnreadableSourceException e) {
      problem = e;
    }
    for (Place place : places) {
      Optional<SourceFile> found = find(place, path);
      if (found.isPresent()) {
        return found.get();
      }
    }
    throw problem;
  }

  private static Optional<SourceFile> find(Place place, String path) {
    Path where = place.path();
    if (Files.isRegularFile(where)) {
      return inJar(place, path);
    }
    Path manifest = where.resolve(MANIFEST);
    if (!Files.exists(manifest)) {
      return Files.exists(where.resolve(path))
          ? Optional.of(new SourceFolder(where, place.shown()).resolve(path))
          : Optional.empty();
    }
    try (InputStream lines = Files.newInputStream(manifest)) {
      return lists(lines, path)
          ? Optional.of(
              new SourceFolder(where.resolve(FOLDER), place.shown() + FOLDER).resolve(path))
          : Optional.empty();
    } catch (IOException e) {
      throw unreadable(place, e);
    }
  }

  private static Optional<SourceFile> inJar(Place place, String path) {
    try (ZipFile jar = new ZipFile(place.path().toFile())) {
      ZipEntry manifest = jar.getEntry(MANIFEST);
      ZipEntry entry = jar.getEntry(FOLDER + path);
      if (manifest == null || entry == null) {
        return Optional.empty();
      }
      try (InputStream lines = jar.getInputStream(manifest);
          InputStream text = jar.getInputStream(entry)) {
        return lists(lines, path)
            ? Optional.of(SourceFolder.read(text, place.shown() + path))
            : Optional.empty();
      }
    } catch (IOException e) {
      throw unreadable(place, e);
    }
  }

  private static boolean lists(InputStream manifest, String path) {
    return SourceFolder.read(manifest, MANIFEST).text().lines().anyMatch(path::equals);
  }

  private static UnreadableSourceException unreadable(Place place, IOException problem) {
    return new UnreadableSourceException(
        "`" + place.path() + "` cannot be read: " + SourceFolder.reason(problem));
  }
}
