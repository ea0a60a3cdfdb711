/** Tasks: prompts, rewards and preference data that policies are trained on. */
@NullMarked
package org.alignlang.runtime.task;

import org.jspecify.annotations.NullMarked;
