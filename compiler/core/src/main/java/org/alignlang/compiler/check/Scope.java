package org.alignlang.compiler.check;

import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/** Names and what they mean, inside an enclosing scope. */
public final class Scope {
  private final Optional<Scope> parent;
  private final Map<String, Meaning> names = new LinkedHashMap<>();
  private final Map<String, Supplier<Meaning>> later = new LinkedHashMap<>();
  private final Set<String> used = new HashSet<>();

  private Scope(Optional<Scope> parent) {
    this.parent = parent;
  }

  public static Scope empty() {
    return new Scope(Optional.empty());
  }

  /** A new scope inside this one. */
  public Scope inner() {
    return new Scope(Optional.of(this));
  }

  /** Declares a name here, hiding outer ones. */
  public void declare(String name, Meaning meaning) {
    names.put(name, meaning);
  }

  /** Declares a name here, whose meaning is made when it is first asked for. */
  public void declareLater(String name, Supplier<Meaning> meaning) {
    later.put(name, meaning);
  }

  /** Whether a name is declared here itself. */
  public boolean declares(String name) {
    return names.containsKey(name) || later.containsKey(name);
  }

  /** The names that are declared here itself. */
  public Set<String> ownNames() {
    Set<String> all = new LinkedHashSet<>(names.keySet());
    all.addAll(later.keySet());
    return all;
  }

  /** What a name is declared as here itself. */
  public Optional<Meaning> own(String name) {
    Supplier<Meaning> wanted = later.remove(name);
    if (wanted != null) {
      names.put(name, wanted.get());
    }
    return Optional.ofNullable(names.get(name));
  }

  /** Whether a name that is declared here has been looked up. */
  public boolean isUsed(String name) {
    return used.contains(name);
  }

  public Optional<Meaning> find(String name) {
    Optional<Meaning> here = own(name);
    if (here.isPresent()) {
      used.add(name);
    }
    return here.isPresent() ? here : parent.flatMap(p -> p.find(name));
  }

  /** Every name that can be used here. */
  public Collection<String> visible() {
    TreeSet<String> all = new TreeSet<>(ownNames());
    parent.ifPresent(p -> all.addAll(p.visible()));
    return all;
  }
}
