# How often each word occurs, ignoring case and punctuation.
def words(text)
  text.downcase.scan(/[a-z]+/).tally
end

# --- tests ---
raise "Test failed" unless words("To be, or not to be.") == { "to" => 2, "be" => 2, "or" => 1, "not" => 1 }
raise "Test failed" unless words("") == {}
raise "Test failed" unless words("...!") == {}
raise "Test failed" unless words("one") == { "one" => 1 }
raise "Test failed" unless words("A a! a? B") == { "a" => 3, "b" => 1 }
