package org.alignlang.compiler.check;

import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Names and what they mean, inside an enclosing scope. */
public final class Scope {
  private final Optional<Scope> parent;
  private final Map<String, Meaning> names = new LinkedHashMap<>();
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

  /** What is declared here itself, without the enclosing scopes. */
  public Map<String, Meaning> own() {
    return names;
  }

  /** Whether a name that is declared here has been looked up. */
  public boolean isUsed(String name) {
    return used.contains(name);
  }

  public Optional<Meaning> find(String name) {
    Meaning here = names.get(name);
    if (here != null) {
      used.add(name);
    }
    return here != null ? Optional.of(here) : parent.flatMap(p -> p.find(name));
  }

  /** Every name that can be used here. */
  public Collection<String> visible() {
    TreeSet<String> all = new TreeSet<>(names.keySet());
    parent.ifPresent(p -> all.addAll(p.visible()));
    return all;
  }
}
