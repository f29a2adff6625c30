package no.bindeledd.policy;

import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.CelIssue;
import dev.cel.common.CelOptions;
import dev.cel.common.CelValidationException;
import dev.cel.common.ast.CelConstant;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.navigation.CelNavigableAst;
import dev.cel.common.navigation.CelNavigableExpr;
import dev.cel.common.types.MapType;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompiler;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.parser.CelStandardMacro;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import dev.cel.runtime.CelVariableResolver;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The condition of a rule in CEL, compiled and type-checked when the pack is read. Without side
 * effects and without loops, so its cost is bounded by its length. Immutable and thread-safe.
 *
 * <p>Variables:
 *
 * <ul>
 *   <li>{@code birthDateKnown} (bool): the record gives a birth date
 *   <li>{@code age} (int): completed years on the Oslo day of the decision. In doubt without a
 *       birth date. Born on 29 February, one becomes a year older on 1 March in other years
 *   <li>{@code ageAtYearEnd} (int): the age reached in the calendar year of that day. In doubt
 *       without a birth date
 *   <li>{@code at} (timestamp): the instant that is judged
 *   <li>{@code record} (map): scalars of the input record. {@code record.x} is the one at the JSON
 *       pointer {@code /x}, {@code record["a/b"]} the one at {@code /a/b}; {@code has(record.x)}
 *       asks whether it is there. In doubt when it is not
 * </ul>
 */
public final class Condition {
  /** What a condition answers about a message. */
  public enum Verdict {
    TRUE,
    FALSE,
    /** It cannot be evaluated on the facts at hand. */
    IN_DOUBT
  }

  /** The expression is not valid; the message says why, in one line. */
  static final class Invalid extends Exception {
    private static final long serialVersionUID = 1L;

    Invalid(String message) {
      super(message);
    }
  }

  private static final CelOptions OPTIONS =
      CelOptions.current()
          .evaluateCanonicalTypesToNativeValues(true)
          .maxExpressionCodePointSize(2_000)
          .maxParseRecursionDepth(32)
          .enableComprehension(false)
          .build();

  private static final CelCompiler COMPILER =
      CelCompilerFactory.standardCelCompilerBuilder()
          .setOptions(OPTIONS)
          .setStandardMacros(CelStandardMacro.HAS)
          .addVar("birthDateKnown", SimpleType.BOOL)
          .addVar("age", SimpleType.INT)
          .addVar("ageAtYearEnd", SimpleType.INT)
          .addVar("at", SimpleType.TIMESTAMP)
          .addVar("record", MapType.create(SimpleType.STRING, SimpleType.DYN))
          .build();

  private static final CelRuntime RUNTIME =
      CelRuntimeFactory.standardCelRuntimeBuilder().setOptions(OPTIONS).build();

  private final String expression;
  private final CelRuntime.Program program;
  private final Set<String> attributes;

  private Condition(String expression, CelRuntime.Program program, Set<String> attributes) {
    this.expression = expression;
    this.program = program;
    this.attributes = attributes;
  }

  /**
   * Compiles and checks.
   *
   * @throws Invalid when it does not parse, names an unknown variable, does not type-check, is not
   *     true or false, or uses {@code record} other than by name
   */
  static Condition compile(String expression) throws Invalid {
    try {
      CelAbstractSyntaxTree ast = COMPILER.compile(expression).getAst();
      if (!ast.getResultType().equals(SimpleType.BOOL)) {
        throw new Invalid(
            "it gives " + ast.getResultType().name() + ", but a condition is true or false");
      }
      return new Condition(expression, RUNTIME.createProgram(ast), attributesOf(ast));
    } catch (CelValidationException e) {
      CelIssue first = e.getErrors().getFirst();
      throw new Invalid(
          "column "
              + (first.getSourceLocation().getColumn() + 1)
              + ": "
              + first.getMessage().lines().findFirst().orElse("not valid").strip());
    } catch (CelEvaluationException e) {
      throw new Invalid("it cannot be prepared for evaluation");
    }
  }

  private static Set<String> attributesOf(CelAbstractSyntaxTree ast) throws Invalid {
    Set<String> names = new TreeSet<>();
    Iterator<CelNavigableExpr> nodes = CelNavigableAst.fromAst(ast).getRoot().allNodes().iterator();
    while (nodes.hasNext()) {
      CelNavigableExpr node = nodes.next();
      if (node.getKind() != CelExpr.ExprKind.Kind.IDENT
          || !node.expr().ident().name().equals("record")) {
        continue;
      }
      String name = node.parent().map(p -> attribute(p.expr())).orElse(null);
      if (name == null) {
        throw new Invalid("'record' is used without a name after it");
      }
      names.add(name);
    }
    return Set.copyOf(names);
  }

  private static @Nullable String attribute(CelExpr parent) {
    if (parent.getKind() == CelExpr.ExprKind.Kind.SELECT) {
      return parent.select().field();
    }
    if (parent.getKind() != CelExpr.ExprKind.Kind.CALL) {
      return null;
    }
    List<CelExpr> args = parent.call().args();
    boolean index = parent.call().function().equals("_[_]") && args.size() == 2;
    boolean constant = index && args.get(1).getKind() == CelExpr.ExprKind.Kind.CONSTANT;
    return constant && args.get(1).constant().getKind() == CelConstant.Kind.STRING_VALUE
        ? args.get(1).constant().stringValue()
        : null;
  }

  /** As it was written. */
  public String expression() {
    return expression;
  }

  /** The names after {@code record} that it uses. */
  public Set<String> attributes() {
    return attributes;
  }

  /** Judges one message. Never throws: what cannot be evaluated is {@link Verdict#IN_DOUBT}. */
  Verdict judge(Facts facts) {
    try {
      Object result = program.eval(new Variables(facts));
      return result instanceof Boolean b ? (b ? Verdict.TRUE : Verdict.FALSE) : Verdict.IN_DOUBT;
    } catch (CelEvaluationException | RuntimeException e) {
      // Its message may quote a value from the record, so it goes nowhere.
      return Verdict.IN_DOUBT;
    }
  }

  @Override
  public String toString() {
    return expression;
  }

  private record Variables(Facts facts) implements CelVariableResolver {
    @Override
    public Optional<Object> find(String name) {
      LocalDate birthDate = facts.birthDate();
      return switch (name) {
        case "birthDateKnown" -> Optional.of(birthDate != null);
        case "age" ->
            birthDate == null
                ? Optional.empty()
                : Optional.of(ChronoUnit.YEARS.between(birthDate, today()));
        case "ageAtYearEnd" ->
            birthDate == null
                ? Optional.empty()
                : Optional.of((long) today().getYear() - birthDate.getYear());
        case "at" -> Optional.of(facts.at());
        case "record" -> Optional.of(numbersAsCel(facts.attributes()));
        default -> Optional.empty();
      };
    }

    private LocalDate today() {
      return LocalDate.ofInstant(facts.at(), Days.OSLO);
    }

    /** CEL knows 64-bit integers and doubles only. */
    private static Map<String, Object> numbersAsCel(Map<String, Object> attributes) {
      Map<String, Object> converted = null;
      for (Map.Entry<String, Object> e : attributes.entrySet()) {
        Object value = e.getValue();
        Object cel =
            switch (value) {
              case Integer i -> (Object) i.longValue();
              case Short s -> (Object) s.longValue();
              case Float f -> (Object) f.doubleValue();
              default -> value;
            };
        if (cel != value) {
          converted = converted == null ? new HashMap<>(attributes) : converted;
          converted.put(e.getKey(), cel);
        }
      }
      return converted == null ? attributes : converted;
    }
  }
}
